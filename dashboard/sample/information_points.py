"""The information points of the sample: their creation and later changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dashboard.sample.companies import Companies
from dashboard.sample.history import History
from dashboard.sample.names import UniqueNames
from dashboard.sample.projects import Project
from dashboard.sample.tables import PROPORTIONS, TEXTS, TOPICS, Row, evenly
from infopoints.choices import Status
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.audit.seeding import reference_id

POINT_TEXTS = TEXTS["information_points"]


class InformationPoints:
    def __init__(self, history: History, companies: Companies):
        self.history = history
        self.companies = companies
        self.rng = history.rng
        self._topics = evenly(self.rng, dict.fromkeys(range(len(TOPICS)), 1))
        self._ends = evenly(self.rng, PROPORTIONS["information_points"])
        self._unique_names = UniqueNames(self.rng)

    def create(self, count: int, projects: list[Project]) -> None:
        """Create points with their later changes; most are about some of the projects."""
        for _ in range(count):
            self._create_one(TOPICS[next(self._topics)], projects)

    def _create_one(self, topic: Row, projects: list[Project]) -> None:
        rng, days = self.rng, self.history.days
        opened = rng.randrange(6, len(days) - 25)
        day = days[opened]
        event = self.history.event(opened, "Heard in the market")
        point = event.add(
            InformationPoint,
            title=self._unique_names.make(topic["title"], f"Q{(day.month + 2) // 3} {day.year}"),
            description=topic["description"],
            market=topic["market"],
            impact=_limited(int(topic["impact"]) + rng.randint(-8, 8)),
            likelihood=_limited(int(topic["likelihood"]) + rng.randint(-15, 15)),
            owner_id=event.person.pk if rng.random() < 0.85 else None,
            status=Status.OPEN.value,
            review_on=day + timedelta(rng.choice((30, 60, 90))),
        )
        link = {"information_point_id": point.pk}
        for code in topic["technologies"].split():
            technology_id = reference_id("technology", code)
            event.add(InformationPointTechnology, **link, technology_id=technology_id)
        if rng.random() < 0.45:
            company = self.companies.pick(rng.choice(("developer", "offtaker", "grid")), "", opened)
            event.add(InformationPointCounterparty, **link, counterparty_id=company.pk)
        for project in self._projects_about(topic, opened, projects):
            event.add(InformationPointPipeline, **link, pipeline_id=project.pipeline.pk)

        kinds = rng.choices(("rate", "review", "comment"), (4, 4, 2), k=rng.randint(0, 5))
        kinds += filter(None, [next(self._ends)])
        later = sorted(rng.sample(range(opened + 3, len(days)), len(kinds)))
        for number, kind in zip(later, kinds, strict=True):
            if kind == "comment":
                self.history.event(number).comment(point, POINT_TEXTS["comments"])
            else:
                self._change(point, kind, number, is_last=number == later[-1])

    def _projects_about(self, topic: Row, opened: int, projects: list[Project]) -> list[Project]:
        """Some active projects that exist on the day, of the topic's technologies and country."""
        fitting = []
        for project in self.rng.sample(projects, min(len(projects), 60)):
            if (
                project.opened < opened
                and project.is_active
                and project.technologies[0] in topic["technologies"].split()
                and topic["country"] in ("", project.place["country"])
            ):
                fitting.append(project)
        return fitting[: self.rng.choice((0, 1, 2, 2, 3, 4))]

    def _change(self, point: InformationPoint, kind: str, day: int, *, is_last: bool) -> None:
        rng, today = self.rng, self.history.days[day]
        review_on: date | None = today + timedelta(rng.choice((45, 90, 180)))
        if is_last:
            # Most points have their next review in the future.
            ahead = timedelta(rng.randint(-20, 100))
            review_on = max(today, self.history.today + ahead)
        changes: dict[str, Any] = {"review_on": review_on}
        if kind == "rate":
            kind = rng.choice(("higher", "lower"))
            step = rng.randint(8, 30) * (1 if kind == "higher" else -1)
            changes["likelihood"] = _limited(point.likelihood + step)
            changes["impact"] = _limited(point.impact + rng.choice((0, 0, step // 3)))
        elif kind == Status.CLOSED:
            changes = {"status": kind, "review_on": None}
        elif kind == Status.WATCHING:
            changes["status"] = kind
        self.history.event(day, rng.choice(POINT_TEXTS[kind])).change(point, **changes)


def _limited(value: int) -> int:
    return max(1, min(100, value))
