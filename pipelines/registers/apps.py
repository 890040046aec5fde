from django.apps import AppConfig


class RegistersConfig(AppConfig):
    name = "pipelines.registers"
    label = "registers"
    verbose_name = "Public registers"

    def ready(self):
        from oegen.audit.seeding import register_rows
        from pipelines.registers import alerts, cards, jobs, map_layer  # noqa: F401
        from pipelines.registers import receivers as watch_receivers  # noqa: F401
        from pipelines.registers.editions import receivers  # noqa: F401
        from pipelines.registers.models import Register
        from pipelines.registers.reference import register_rows as rows

        register_rows(Register, rows())
