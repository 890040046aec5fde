from django.apps import AppConfig


class JobKindsConfig(AppConfig):
    name = "tests.support.job_kinds"

    def ready(self):
        from tests.support.job_kinds import kinds  # noqa: F401
