from typing import Any

from django.apps import apps
from django.core import checks

from oegen import audit
from oegen.audit.history import HistoryRow

OUR_PACKAGES = ("oegen", "counterparties", "pipelines", "infopoints", "dashboard")


@checks.register(checks.Tags.models)
def business_models_have_history(app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
    """Check that every model is audited, or states in ``unaudited`` why it is not."""
    audited = set(audit.tracked_models())
    return [
        checks.Error(
            f"{model._meta.label} keeps no history.",
            hint="Derive it from oegen.models.AuditedModel, or set unaudited = 'why not' on it. A "
            "many-to-many field needs a link model, with through=.",
            obj=model,
            id="oegen.E001",
        )
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in OUR_PACKAGES
        for model in config.get_models(include_auto_created=True)
        if model not in audited
        and not issubclass(model, HistoryRow)
        # An automatic many-to-many table counts as part of the model that declares it.
        and not getattr(model._meta.auto_created or model, "unaudited", "")
    ]
