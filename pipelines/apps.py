from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PipelinesConfig(AppConfig):
    name = "pipelines"

    def ready(self):
        from oegen.audit.seeding import register_rows
        from oegen.core.pointers import register_target
        from oegen.models import AlertRule
        from pipelines import (  # noqa: F401
            alerts,
            api,
            commands,
            imports,
            odata,
            receivers,
            wording,
        )
        from pipelines.facts import integrity, services  # noqa: F401
        from pipelines.models import (
            CounterpartyRole,
            Gate,
            GateSet,
            MilestoneKind,
            Stage,
            Technology,
        )
        from pipelines.reference import (
            counterparty_role_rows,
            gate_rows,
            gate_set_rows,
            milestone_kind_rows,
            stage_rows,
            technology_rows,
        )

        register_target(AlertRule, "technology", Technology)
        register_rows(Stage, stage_rows())
        register_rows(CounterpartyRole, counterparty_role_rows())
        register_rows(Technology, technology_rows())
        register_rows(MilestoneKind, milestone_kind_rows())
        register_rows(GateSet, gate_set_rows())
        register_rows(Gate, gate_rows())
        post_migrate.connect(services.fill_if_new, sender=self, dispatch_uid="pipelines.facts")
