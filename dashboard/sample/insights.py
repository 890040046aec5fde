"""The information points: what was learnt, rated again, reviewed, closed."""

from __future__ import annotations

from datetime import timedelta

from dashboard.sample import topics
from dashboard.sample.cast import Cast
from dashboard.sample.decks import Deck
from dashboard.sample.ledger import Ledger
from dashboard.sample.names import Unrepeated
from dashboard.sample.projects import Story
from dashboard.sample.sentences import COMPLETED
from dashboard.sample.vocabulary import Vocabulary
from infopoints.choices import Status
from infopoints.models import (
    InformationPoint,
    InformationPointCounterparty,
    InformationPointPipeline,
    InformationPointTechnology,
)
from oegen.models import Comment

KINDS_CONCERNED = ("developer", "investor", "offtaker", "grid")


class Insights:
    def __init__(self, cast: Cast, vocabulary: Vocabulary, ledger: Ledger):
        self.cast = cast
        self.vocabulary = vocabulary
        self.ledger = ledger
        self.rng = cast.rng
        self.clock = cast.clock
        self._topics = Deck(self.rng, ((topic, 1) for topic in topics.TOPICS))
        self._unrepeated = Unrepeated()
        self._endings = Deck(self.rng, [("", 24), ("watched", 8), ("closed", 8)])

    def tell(self, count: int, stories: list[Story]) -> None:
        for _ in range(count):
            self._tell_one(stories)

    def _tell_one(self, stories: list[Story]) -> None:
        rng, clock = self.rng, self.clock
        topic = self._topics.deal()
        opened = rng.randrange(6, len(clock) - 25)
        day = clock.days[opened]
        owner = self.cast.colleague()
        event = self.ledger.event(clock.moment(opened, rng), owner, "Heard in the market")
        point = event.add(
            InformationPoint,
            title=self._unrepeated(topic.title, f"Q{(day.month + 2) // 3} {day.year}"),
            description=topic.description,
            market=topic.market,
            impact=_within(topic.impact + rng.randint(-8, 8)),
            likelihood=_within(topic.likelihood + rng.randint(-15, 15)),
            owner_id=owner.pk if rng.random() < 0.85 else None,
            status=Status.OPEN.value,
            review_on=day + timedelta(rng.choice((30, 60, 90))),
        )
        for code in topic.technologies:
            event.add(
                InformationPointTechnology,
                information_point_id=point.pk,
                technology_id=self.vocabulary.technologies[code],
            )
        if rng.random() < 0.45:
            company = self.cast.pick(rng.choice(KINDS_CONCERNED), "", opened)
            event.add(
                InformationPointCounterparty,
                information_point_id=point.pk,
                counterparty_id=company.id,
            )
        concerned = self._concerned(topic, opened, stories)
        for story in concerned[1:]:
            self._link(event, point, story)

        kinds = [
            kind
            for kind in ("rate", "rate", "review", "review", "comment", "link")
            if rng.random() < 0.45 and (kind != "link" or concerned)
        ]
        ending = self._endings.deal()
        days = sorted(rng.sample(range(opened + 3, len(clock)), len(kinds) + bool(ending)))
        kinds += [ending] if ending else []
        for number, (day_number, kind) in enumerate(zip(days, kinds, strict=True), start=1):
            self._continue(point, kind, day_number, concerned, is_last=number == len(days))

    def _concerned(self, topic, opened: int, stories: list[Story]) -> list[Story]:
        """Some projects, known by then, of the topic's technologies and countries."""
        rng = self.rng
        some = rng.sample(stories, min(len(stories), 60))
        fitting = [
            story
            for story in some
            if story.plan.opened < opened
            and set(story.plan.technologies) & set(topic.technologies)
            and story.plan.place.country in topic.countries
            and story.plan.final < COMPLETED
        ]
        return fitting[: rng.choice((0, 1, 2, 2, 3, 4))]

    def _link(self, event, point: InformationPoint, story: Story) -> None:
        event.add(
            InformationPointPipeline,
            information_point_id=point.pk,
            pipeline_id=story.pipeline.pk,
        )

    def _continue(self, point, kind: str, day: int, concerned, *, is_last: bool) -> None:
        rng, clock = self.rng, self.clock
        when, person = clock.moment(day, rng), self.cast.colleague()
        today = clock.days[day]
        ahead = timedelta(rng.choice((45, 90, 180)))
        if is_last:
            # Four in five have their next review still before them.
            ahead = clock.today - today + timedelta(rng.choice((-12, 14, 35, 60, 120)))
        review_on = max(today, today + ahead)
        if kind == "rate":
            up = rng.random() < 0.55
            change = rng.randint(8, 30) * (1 if up else -1)
            reason = rng.choice(topics.HIGHER if up else topics.LOWER)
            likelihood = _within(point.likelihood + change)
            if likelihood == point.likelihood:
                kind = "review"
            else:
                self.ledger.event(when, person, reason).change(
                    point,
                    likelihood=likelihood,
                    impact=_within(point.impact + rng.choice((0, 0, change // 3))),
                    review_on=review_on,
                )
        if kind == "review":
            self.ledger.event(when, person, topics.REVIEWED).change(point, review_on=review_on)
        elif kind == "comment":
            event = self.ledger.event(when, person)
            event.add(
                Comment,
                content_type_id=self.vocabulary.information_point_type,
                object_id=point.pk,
                author_id=person.pk,
                text=rng.choice(topics.COMMENTS),
            )
        elif kind == "link":
            event = self.ledger.event(when, person, "Concerns this project too")
            self._link(event, point, concerned[0])
        elif kind == "watched":
            self.ledger.event(when, person, topics.WATCHED).change(
                point, status=Status.WATCHING.value, review_on=review_on
            )
        elif kind == "closed":
            self.ledger.event(when, person, rng.choice(topics.CLOSED)).change(
                point, status=Status.CLOSED.value, review_on=None
            )


def _within(value: int) -> int:
    return max(1, min(100, value))
