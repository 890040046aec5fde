"""Every figure of the dashboard opens the records behind it: as many, with as many MW."""

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from dashboard.charts.parts import Link
from pipelines.models import Pipeline
from tests.portfolios import TODAY, make_awkward_portfolio, make_random_portfolio

SINCE = TODAY - timedelta(days=30)


@pytest.fixture
def at(monkeypatch):
    """Set the clock to noon of a day."""

    def at(day: date):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return at


def links_in(thing) -> Iterator[Link]:
    if isinstance(thing, Link):
        yield thing
    elif is_dataclass(thing):
        for field in fields(thing):
            yield from links_in(getattr(thing, field.name))
    elif isinstance(thing, list | tuple):
        for one in thing:
            yield from links_in(one)


def shuffle(seed: int) -> None:
    """Rate anew, hold and take off hold some of them."""
    rng = random.Random(seed)
    for pipeline in Pipeline.objects.filter(outcome="active", stage__is_terminal=False):
        pipeline.rag_status = rng.choice(["", "red", "amber", "green"])
        pipeline.on_hold = rng.random() < 0.2
        pipeline.on_hold_reason = "Grid" if pipeline.on_hold else ""
        pipeline.save()


@pytest.mark.parametrize(
    ("make", "query"),
    [
        (make_awkward_portfolio, {}),
        (make_awkward_portfolio, {"technology": "bess", "as_of": TODAY - timedelta(days=1)}),
        (lambda: make_random_portfolio(3, size=25), {"compare": SINCE}),
        (lambda: make_random_portfolio(5), {"technology": "solar", "also": "q=project"}),
    ],
    ids=["awkward", "past", "random", "filtered"],
)
def test_every_link_of_the_dashboard_opens_what_its_figure_counts(as_manager, at, make, query):
    at(SINCE - timedelta(days=1))
    make()
    at(TODAY - timedelta(days=2))
    shuffle(1)
    at(TODAY)

    page = as_manager.get(reverse("dashboard"), query)

    links = {link for shown in page.context_data.values() for link in links_in(shown)}
    if "as_of" in query:
        assert all("as_of=" in link.url for link in links)
    counted = [link for link in links if link.pipelines or link.mw]
    assert len(counted) > 25
    wrong = []
    for link in counted:
        opened = as_manager.get(link.url).context
        capacity = opened["capacity"]
        if link.technology:
            _, capacity = opened["parts"][link.technology]
        counts_differ = link.pipelines not in (None, opened["total"])
        mw_differ = link.mw is not None and abs(link.mw - capacity.mw) > 0.001
        if opened["is_wrong"] or counts_differ or mw_differ:
            wrong.append((link, opened["total"], capacity.mw))
    assert wrong == []
