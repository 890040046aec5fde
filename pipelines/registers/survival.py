"""How long projects of registers take to their consent, and from there to operation.

Projects that are not there yet, or were given up before, say how long it took at least: they are
censored observations, as the stays of our own pipelines are (``pipelines/stays.py``). To leave them
out would make every register look quicker than it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pipelines.registers.choices import Phase
from pipelines.registers.choices import RegisterOutcome as Outcome
from pipelines.registers.models import RegisterProject
from pipelines.registers.phases import phase_of
from pipelines.stays import ENOUGH, FOUR_FIFTHS, days_until


class Span(NamedTuple):
    """``days`` from one event to another; if that ``is_reached`` not, so many at least."""

    days: int
    is_reached: bool


@dataclass(frozen=True)
class Duration:
    """The time that ``projects`` take to an event, which ``reached`` of them reached.

    Half of them reach it within ``median_days``, four fifths within ``usual_days``, by the estimate
    of Kaplan and Meier; None where that is not known, or fewer than ``ENOUGH`` projects reached it.
    """

    projects: int = 0
    reached: int = 0
    median_days: int | None = None
    usual_days: int | None = None

    @property
    def is_enough(self) -> bool:
        return self.reached >= ENOUGH


def estimate(spans: Iterable[Span | None]) -> Duration:
    """Of the spans that are known."""
    known = [span for span in spans if span is not None]
    everyone = Counter(span.days for span in known)
    there = Counter(span.days for span in known if span.is_reached)
    reached = there.total()
    if reached < ENOUGH:
        return Duration(len(known), reached)
    median, usual = (days_until(everyone, there, share) for share in (0.5, FOUR_FIFTHS))
    return Duration(len(known), reached, median, usual)


class Course(NamedTuple):
    """What a register says of a project's way. The names are paths from ``RegisterProject``, whose
    ``last_seen_on`` is the day up to which it is known: ``values_list(*Course._fields)``."""

    outcome: str = Outcome.ACTIVE
    stage__code: str | None = None
    submitted_on: date | None = None
    refused_on: date | None = None
    withdrawn_on: date | None = None
    consented_on: date | None = None
    consent_expires_on: date | None = None
    operational_on: date | None = None
    last_seen_on: date | None = None

    @classmethod
    def of(cls, project: RegisterProject) -> Course:
        """Of a project read with its stage."""
        code = project.stage.code if project.stage else None
        days = (getattr(project, name) for name in cls._fields[2:])
        return cls(project.outcome, code, *days)

    @property
    def is_consented(self) -> bool:
        return (
            self.consented_on is not None
            or self.operational_on is not None
            or phase_of(self.outcome, self.stage__code) not in ("", Phase.PLANNING)
        )

    @property
    def to_consent(self) -> Span | None:
        """From the application to the consent; None where a day is missing, or the application was
        replaced by another."""
        if self.consented_on is not None:
            return span_between(self.submitted_on, self.consented_on, is_reached=True)
        if self.outcome in (Outcome.REFUSED, Outcome.WITHDRAWN):
            return span_between(self.submitted_on, self._ended_on)
        if phase_of(self.outcome, self.stage__code) == Phase.PLANNING:
            return span_between(self.submitted_on, self.last_seen_on)
        return None

    @property
    def to_operation(self) -> Span | None:
        """From the consent to operation, of projects that got one; None as above."""
        if self.operational_on is not None:
            return span_between(self.consented_on, self.operational_on, is_reached=True)
        if self.outcome in (Outcome.REFUSED, Outcome.WITHDRAWN):
            return span_between(self.consented_on, self._ended_on or self._lapsed_on)
        if self.outcome == Outcome.ON_HOLD:
            return span_between(self.consented_on, self._lapsed_on or self.last_seen_on)
        if self.outcome == Outcome.ACTIVE:
            return span_between(self.consented_on, self.last_seen_on)
        return None

    @property
    def _ended_on(self) -> date | None:
        return max(filter(None, (self.refused_on, self.withdrawn_on)), default=None)

    @property
    def _lapsed_on(self) -> date | None:
        """The end of the consent, unless that lies ahead."""
        expires, seen = self.consent_expires_on, self.last_seen_on
        return expires if expires and seen and expires <= seen else None


def span_between(
    began: date | None, ended: date | None, *, is_reached: bool = False
) -> Span | None:
    """None also if the days contradict each other."""
    if began is None or ended is None or ended < began:
        return None
    return Span((ended - began).days, is_reached)
