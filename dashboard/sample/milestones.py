"""The milestones of the sample's projects."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from uuid import UUID

from dashboard.sample.history import Event
from dashboard.sample.tables import PROPORTIONS, TEXTS
from oegen.audit.seeding import reference_id
from pipelines.models import Milestone, Pipeline
from pipelines.reference import RTB_ID


class ProjectMilestones:
    """Those of one project. They draw their own random numbers, which the project's key begins, so
    that the projects are the same with and without them."""

    def __init__(self, pipeline: Pipeline):
        self._rng = Random(pipeline.pk.int)  # noqa: S311, it makes up data and keeps no secret
        self._pipeline = pipeline
        self._tracked = self._rng.random() < 0.8
        #: By the code of their kind.
        self._milestones: dict[str, Milestone] = {}
        self._rtb: Milestone | None = None

    def start(self, event: Event) -> None:
        """Those that lie before the RTB date, which is approved as a baseline for most projects."""
        due = self._pipeline.rtb_date
        if not self._tracked or due is None:
            return
        for code, (most, least) in PROPORTIONS["milestones"].items():
            if self._rng.random() < 0.85:
                day = due - timedelta(self._rng.randint(least, most))
                self._add(event, code, day)
        self._rtb = event.add(
            Milestone,
            id=self._new_id(),
            pipeline_id=self._pipeline.pk,
            kind_id=RTB_ID,
            baseline_on=due if self._rng.random() < 0.7 else None,
        )

    def _add(self, event: Event, code: str, day: date) -> None:
        is_past = day <= event.when.date()
        milestone = event.add(
            Milestone,
            id=self._new_id(),
            pipeline_id=self._pipeline.pk,
            kind_id=reference_id("milestonekind", code),
            forecast_on=None if is_past else day,
            baseline_on=day if not is_past and self._rng.random() < 0.5 else None,
            **self._proof(event, code, day) if is_past else {},
        )
        self._milestones[code] = milestone

    def _new_id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128), version=4)

    def _proof(self, event: Event, code: str, day: date | None = None) -> dict[str, object]:
        """The values of a milestone that was reached; some have no evidence."""
        number = f"{self._rng.randint(10, 99)}/{self._rng.randint(100, 9999):04}"
        note = self._rng.choice(TEXTS["evidence"][code]).format(number=number)
        happened = {} if day is None else {"actual_on": day}
        return {
            "evidence_note": note if self._rng.random() < 0.85 else "",
            "confirmed_by_id": event.person.pk,
            **happened,
        }

    def catch_up(self, event: Event) -> None:
        """Record most of those whose day has come; the others are missed."""
        today = event.when.date()
        for code, milestone in self._milestones.items():
            forecast = milestone.forecast_on
            is_due = forecast and forecast <= today and not milestone.actual_on
            if forecast and is_due and self._rng.random() < 0.8:
                late = timedelta(self._rng.choice([-9, 0, 0, 5, 12]))
                day = min(forecast + late, today)
                event.change(milestone, **self._proof(event, code, day))

    def shift(self, event: Event, later: timedelta) -> None:
        """Move the forecasts with the RTB date."""
        for milestone in self._milestones.values():
            if milestone.forecast_on and not milestone.actual_on and self._rng.random() < 0.7:
                event.change(milestone, forecast_on=milestone.forecast_on + later)

    def reach_rtb(self, event: Event) -> None:
        """Ready to build: what was left is done by then, with few exceptions."""
        ready = self._pipeline.rtb_date
        for code, milestone in self._milestones.items():
            if ready and not milestone.actual_on and self._rng.random() < 0.93:
                event.change(milestone, **self._proof(event, code, ready))
        if self._rtb and ready:
            event.change(
                self._rtb,
                is_actual=True,
                evidence_note=self._rng.choice(TEXTS["evidence"]["rtb"]),
                confirmed_by_id=event.person.pk,
            )
