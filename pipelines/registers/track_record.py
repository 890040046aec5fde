"""What became of the projects of a company, and how long they took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.registers.choices import RegisterOutcome as Outcome
from pipelines.registers.querysets import RegisterProjectQuerySet
from pipelines.registers.survival import Course, Duration, estimate


@dataclass(frozen=True)
class TrackRecord:
    """Numbers of projects. ``submitted`` are all but those that others replaced; of these
    ``consented``, ``refused`` or ``withdrawn`` before a consent, the others undecided. Of the
    consented, ``built`` are in operation, ``gone`` were and are decommissioned, ``given_up`` were
    not built.
    """

    submitted: int = 0
    consented: int = 0
    refused: int = 0
    withdrawn: int = 0
    built: int = 0
    gone: int = 0
    given_up: int = 0
    to_consent: Duration = field(default_factory=Duration)
    to_operation: Duration = field(default_factory=Duration)

    @property
    def undecided(self) -> int:
        return self.submitted - self.consented - self.refused - self.withdrawn

    @property
    def decided(self) -> int:
        return self.submitted - self.undecided

    @property
    def consented_pct(self) -> int | None:
        """Of the decided ones."""
        return round(100 * self.consented / self.decided) if self.decided else None

    @property
    def to_be_built(self) -> int:
        return self.consented - self.built - self.gone - self.given_up


def track_record(projects: RegisterProjectQuerySet) -> TrackRecord:
    rows = projects.order_by().values_list(*Course._fields)
    return track_record_of(Course(*row) for row in rows)


def track_record_of(courses: Iterable[Course]) -> TrackRecord:
    known = [one for one in courses if one.outcome != Outcome.SUPERSEDED]
    consented = [one for one in known if one.is_consented or one.outcome == Outcome.GONE]
    others = [one for one in known if not (one.is_consented or one.outcome == Outcome.GONE)]

    def count(courses: list[Course], *outcomes: Outcome) -> int:
        return sum(one.outcome in outcomes for one in courses)

    return TrackRecord(
        submitted=len(known),
        consented=len(consented),
        refused=count(others, Outcome.REFUSED),
        withdrawn=count(others, Outcome.WITHDRAWN),
        built=count(consented, Outcome.BUILT),
        gone=count(consented, Outcome.GONE),
        given_up=count(consented, Outcome.WITHDRAWN, Outcome.REFUSED),
        to_consent=estimate(one.to_consent for one in known),
        to_operation=estimate(one.to_operation for one in known),
    )
