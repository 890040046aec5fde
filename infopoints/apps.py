from django.apps import AppConfig


class InfopointsConfig(AppConfig):
    name = "infopoints"
    verbose_name = "Information points"

    def ready(self):
        from infopoints import alerts, api, commands, imports, odata  # noqa: F401
