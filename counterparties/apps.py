from django.apps import AppConfig


class CounterpartiesConfig(AppConfig):
    name = "counterparties"

    def ready(self):
        from counterparties.models import Counterparty
        from oegen.core.pointers import register_target
        from oegen.models import AlertRule

        register_target(AlertRule, "counterparty", Counterparty)
