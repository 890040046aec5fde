from django.apps import AppConfig


class InfopointsConfig(AppConfig):
    name = "infopoints"
    verbose_name = "Information points"

    def ready(self):
        from infopoints import alerts, commands  # noqa: F401
