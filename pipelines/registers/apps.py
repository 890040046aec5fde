from django.apps import AppConfig


class RegistersConfig(AppConfig):
    name = "pipelines.registers"
    label = "registers"
    verbose_name = "Public registers"

    def ready(self):
        from oegen.asof import register_past_rows
        from oegen.audit.seeding import register_rows
        from pipelines.registers import (  # noqa: F401
            alerts,
            cards,
            commands,
            jobs,
            map_layer,
        )
        from pipelines.registers import receivers as watch_receivers  # noqa: F401
        from pipelines.registers.editions import receivers  # noqa: F401
        from pipelines.registers.editions.past import past_projects
        from pipelines.registers.models import Register, RegisterProject
        from pipelines.registers.reference import register_rows as rows

        register_rows(Register, rows())
        register_past_rows(RegisterProject, past_projects)
