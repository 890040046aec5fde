from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    name = "pipelines"

    def ready(self):
        from oegen.core.pointers import register_target
        from oegen.models import AlertRule
        from pipelines import alerts, receivers, wording  # noqa: F401
        from pipelines.models import Technology

        register_target(AlertRule, "technology", Technology)
