"""Phrases for changes of pipelines and facilities in timelines, registered with
oegen.audit.narrative by ``AppConfig.ready``."""

from datetime import date

from oegen.audit.narrative.timeline import register_phrase, register_unit
from oegen.core.words import days
from pipelines.choices import RAG, Outcome
from pipelines.models import Facility, Milestone, Pipeline, Technology


@register_phrase(Pipeline, "stage")
def stage_moved(old, new, raw_old, raw_new):
    return f"moved from {old} to {new}"


@register_phrase(Pipeline, "on_hold")
def hold_changed(old, new, raw_old, raw_new):
    return "put on hold" if raw_new else "taken off hold"


@register_phrase(Pipeline, "on_hold_reason")
def hold_explained(old, new, raw_old, raw_new):
    return f"reason for the hold: “{new}”" if raw_new else ""


@register_phrase(Pipeline, "outcome")
def outcome_changed(old, new, raw_old, raw_new):
    return "made active again" if raw_new == Outcome.ACTIVE else f"marked {new.lower()}"


@register_phrase(Pipeline, "rag_status")
def rag_changed(old, new, raw_old, raw_new):
    if not raw_old:
        return f"RAG set to {new}"
    if not raw_new:
        return f"RAG {old} cleared"
    order = RAG.values
    direction = "improved" if order.index(raw_new) > order.index(raw_old) else "worsened"
    return f"RAG {direction} from {old} to {new}"


@register_phrase(Pipeline, "rag_comment")
def rag_comment_changed(old, new, raw_old, raw_new):
    return f"RAG comment now “{new}”" if raw_new else "RAG comment cleared"


@register_phrase(Pipeline, "rag_confirmed_at", unless=["rag_status", "rag_comment"])
def rag_confirmed(old, new, raw_old, raw_new):
    return "RAG confirmed"


def _moved(what: str, old, new, raw_old: date | None, raw_new: date | None) -> str:
    if raw_new is None or raw_old is None:
        return f"{what} {old} cleared" if raw_old else f"{what} set to {new}"
    return f"{what} from {old} to {new}, {days((raw_new - raw_old).days)}"


@register_phrase(Pipeline, "rtb_date")
def rtb_moved(old, new, raw_old, raw_new):
    return _moved("RTB date", old, new, raw_old, raw_new)


@register_phrase(Milestone, "forecast_on")
def milestone_expected(old, new, raw_old: date | None, raw_new: date | None):
    if raw_new is None:
        return f"no longer expected on {old}"
    if raw_old is None:
        return f"expected on {new}"
    return f"expected on {new} instead of {old}, {days((raw_new - raw_old).days)}"


@register_phrase(Milestone, "actual_on")
def milestone_happened(old, new, raw_old: date | None, raw_new: date | None):
    return f"happened on {new}" if raw_new else f"did not happen on {old}"


@register_phrase(Milestone, "is_actual")
def milestone_day_is_actual(old, new, raw_old: bool, raw_new: bool):
    return "has happened" if raw_new else "has not happened"


@register_phrase(Milestone, "baseline_on")
def baseline_changed(old, new, raw_old, raw_new):
    return (
        _moved("baseline", old, new, raw_old, raw_new) if raw_old else f"baseline approved: {new}"
    )


@register_phrase(Milestone, "confirmed_by")
def confirmed(old, new, raw_old, raw_new):
    return f"confirmed by {new}" if raw_new else ""


@register_unit(Facility, "capacity_mw")
def capacity_unit(facility, names):
    technology = names.record(Technology, facility.technology_id)
    return technology.unit_label if technology else "MW"


@register_phrase(Facility, "capacity_mw")
def capacity_changed(old, new, raw_old, raw_new):
    if raw_old is None:
        return f"capacity set to {new}"
    if raw_new is None:
        return f"capacity {old} cleared"
    return f"capacity {'up' if raw_new > raw_old else 'down'} from {old} to {new}"
