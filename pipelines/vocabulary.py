"""The vocabularies that pages read, in their order."""

from oegen.core.compiled import compiled
from pipelines.models import CounterpartyRole, MilestoneKind, Stage, Technology

TECHNOLOGY_ORDER = ("order", "name")


@compiled
def technologies():
    return Technology.objects.order_by(*TECHNOLOGY_ORDER)


@compiled
def stages():
    return Stage.objects.all()


@compiled
def open_stages():
    return Stage.objects.filter(is_terminal=False)


@compiled
def roles():
    return CounterpartyRole.objects.all()


@compiled
def technologies_to_choose():
    return Technology.objects.active_or_in_use()


@compiled
def milestone_kinds():
    return MilestoneKind.objects.order_by("order", "name")
