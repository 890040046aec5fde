from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    verbose_name = "Questions"

    def ready(self):
        from dashboard import alerts, api, commands, digest, integrity, jobs, odata  # noqa: F401
