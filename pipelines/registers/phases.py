"""Which phase a project of a register is in, by its outcome and the stage that it has reached."""

from __future__ import annotations

from django.db.models import Case, DateField, F, When
from django.db.models.functions import ExtractYear

from pipelines.reference import CONSTRUCTION, DISCOVERY
from pipelines.registers.choices import Phase, RegisterOutcome

#: The stages of active projects.
STAGES: dict[Phase, tuple[str, ...]] = {
    Phase.PLANNING: (DISCOVERY, "design"),
    Phase.CONSENTED: ("procurement",),
    Phase.CONSTRUCTION: (CONSTRUCTION, "commissioning"),
}

_PHASES = {stage: phase for phase, stages in STAGES.items() for stage in stages}

#: The column with the day on which a project reached its phase.
SINCE = {
    Phase.PLANNING: "submitted_on",
    Phase.CONSENTED: "consented_on",
    Phase.CONSTRUCTION: "construction_on",
    Phase.BUILT: "operational_on",
}


def phase_of(outcome: str, stage: str | None) -> str:
    """Empty for what is on hold, was given up or is gone. ``stage`` is a code."""
    if outcome == RegisterOutcome.BUILT:
        return Phase.BUILT
    return _PHASES.get(stage or "", "") if outcome == RegisterOutcome.ACTIVE else ""


def phase_sql(outcome: str, stage: str) -> str:
    """``phase_of`` as an expression of two columns."""
    cases = " ".join(f"WHEN '{code}' THEN '{phase}'" for code, phase in _PHASES.items())
    return (
        f"CASE {outcome} WHEN '{RegisterOutcome.BUILT}' THEN '{Phase.BUILT}' "
        f"WHEN '{RegisterOutcome.ACTIVE}' THEN CASE {stage} {cases} ELSE '' END ELSE '' END"
    )


def year_of_phase() -> ExtractYear:
    """The year in which a project reached its phase; null if the register does not say."""
    whens = [When(phase=phase, then=F(field)) for phase, field in SINCE.items()]
    return ExtractYear(Case(*whens, output_field=DateField()))
