"""Every figure of the dashboard links to its records: the same number, with the same MW."""

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from dashboard.charts.parts import PLACEHOLDER, Link
from dashboard.views import TABS
from oegen.core.clock import a_month_before
from pipelines.models import Pipeline
from tests.support.portfolios import TODAY, make_awkward_portfolio, make_random_portfolio

#: The default comparison day of the dashboard.
SINCE = a_month_before(TODAY)


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


def figures_of(client, query: dict | None = None) -> dict:
    """All that the dashboard shows, tab by tab."""
    shown = {}
    for tab in TABS:
        cache.clear()  # What is drawn from the cache is not prepared.
        page = client.get(reverse("dashboard"), {**(query or {}), "tab": tab})
        shown |= page.context_data["answer"]() | page.context_data["figures"]()
    return shown


def shuffle(seed: int) -> None:
    """Rate some of them again, put some on hold and take some off hold."""
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
        pytest.param(
            make_awkward_portfolio,
            {"technology": "bess", "as_of": TODAY - timedelta(days=1)},
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            lambda: make_random_portfolio(9, size=28), {"compare": SINCE}, marks=pytest.mark.heavy
        ),
        pytest.param(
            lambda: make_random_portfolio(5, size=30),
            {"technology": "solar", "also": "capacity_max=300"},
            marks=pytest.mark.heavy,
        ),
    ],
    ids=["awkward", "past", "random", "filtered"],
)
def test_every_link_of_the_dashboard_opens_what_its_figure_counts(as_manager, at, make, query):
    at(SINCE - timedelta(days=1))
    make()
    at(TODAY - timedelta(days=2))
    shuffle(1)
    at(TODAY)

    links = {link for one in figures_of(as_manager, query).values() for link in links_in(one)}
    if "as_of" in query:
        assert all("as_of=" in link.url for link in links)
    counted = [link for link in links if link.pipelines or link.mw]
    assert len(counted) > 35
    wrong = []
    for link in counted:
        # The list's part of the page, with the one column that is least to draw.
        address = f"{link.url}&columns=project_name"
        opened = as_manager.get(address, headers={"HX-Request": "true"}).context
        capacity = opened["capacity"]
        if link.technology:
            _, capacity = opened["parts"][link.technology]
        counts_differ = link.pipelines not in (None, opened["total"])
        mw_differ = link.mw is not None and abs(link.mw - capacity.mw) > 0.001
        _, held_mw = opened["held"][link.holder] if link.holder else ("", None)
        held_differ = link.held_mw != held_mw
        if opened["is_wrong"] or counts_differ or mw_differ or held_differ:
            wrong.append((link, opened["total"], capacity.mw, held_mw))
    assert wrong == []


@pytest.mark.heavy
def test_net_and_weighted_open_lists_that_add_up_to_them(as_manager, at):
    at(TODAY)
    make_random_portfolio(9, size=28)
    tiles = {tile.key: tile for tile in figures_of(as_manager)["tiles"]}
    names = {"net": "net", "weighted": "gross weighted", "net_weighted": "net weighted"}
    amounts = set()
    for key, name in names.items():
        answer = as_manager.get(tiles[key].link.url)
        assert dict(answer.context["shares"])[name] == tiles[key].amount
        assert f"{name} <b>" in answer.text
        amounts.add(tiles[key].amount)
        csv = as_manager.get(f"{tiles[key].link.url}&download=csv")
        assert f"{name.capitalize()}, MW/MWp" in b"".join(csv.streaming_content).decode()
    assert len(amounts) == 3


def test_every_kind_of_figure_leads_on(as_manager, at):
    """The links followed by the test above, and those drawn by script, are of every kind."""
    at(SINCE - timedelta(days=1))
    make_random_portfolio(9, size=28)
    at(TODAY - timedelta(days=2))
    shuffle(1)
    at(TODAY)

    shown = figures_of(as_manager)

    urls = {link.url for value in shown.values() for link in links_in(value) if link.pipelines}
    holders = ("held_by", "held_by_others", "held_by_nobody")
    for name in (
        "rag_was",
        "rag_moved",
        "attention",
        "way",
        "infopoint",
        "not_confirmed",
        "technology",
        "rtb",
        *holders,
    ):
        assert any(f"{name}=" in url for url in urls), name
    bars = {row.link.url for row in shown["holders"].rows}
    assert {*shown["holders"].data["links"]} == bars, "each of them leads on"
    assert {link.holder.partition("=")[0] for link in links_in(shown["holders"])} == {*holders}
    drawn = [
        choice["link"].replace(PLACEHOLDER, "2026-12-31")
        for choice in shown["growth"].data["choices"]
    ]
    assert drawn == [cell.link.url for cell in row_of(shown["growth"], "By the end of 2026").cells]
    parts = {url for series in shown["years"].data["series"] for url in series.get("links", [])}
    assert parts >= {
        cell.link.url for row in shown["years"].rows for cell in row.cells if cell.link
    }
    steps = [row.link.url for row in shown["walk"].rows[1:-1]]
    assert steps
    assert shown["walk"].data["links"][1:-1] == steps
    assert all(f"/changes/?from={SINCE}&step=" in url and f"to={TODAY}" in url for url in steps)
    for impact, likelihood, count in shown["scatter"].data["places"]:
        url = shown["scatter"].data["link"].replace(f"{PLACEHOLDER}-impact", str(impact))
        opened = as_manager.get(url.replace(f"{PLACEHOLDER}-likelihood", str(likelihood)))
        assert opened.context["total"] == count
    for cell in (cell for row in shown["scatter"].matrix.rows for cell in row.cells if cell.count):
        assert (
            as_manager.get(f"{reverse('infopoints')}?{cell.query}").context["total"] == cell.count
        )


def row_of(chart, label: str):
    return next(row for row in chart.rows if row.label == label)
