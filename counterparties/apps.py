from django.apps import AppConfig


class CounterpartiesConfig(AppConfig):
    name = "counterparties"

    def ready(self):
        from counterparties import api, commands, imports, odata  # noqa: F401
        from counterparties.models import ContactRole, Counterparty
        from counterparties.reference import contact_role_rows
        from oegen.audit.seeding import register_rows
        from oegen.core.pointers import register_target
        from oegen.models import AlertRule

        register_target(AlertRule, "counterparty", Counterparty)
        register_rows(ContactRole, contact_role_rows())
