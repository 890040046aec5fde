"""Answers as HTML: what somebody typed is never markup, and links lead to this site only."""

from datetime import date
from uuid import uuid4

import pytest

from dashboard.ask.events import Done, ReadingShown, Sentence, Shown
from dashboard.ask.findings import Findings, Found, Table
from dashboard.ask.lookups import Asker
from dashboard.ask.rendering import Renderer, as_html, as_text, chart_of
from dashboard.charts.parts import ACCENT, Link, bars
from oegen.models import User

HOSTILE = '<img src=x onerror=alert(1)> {f1} "><script>'


@pytest.fixture
def findings():
    found = Findings()
    found.add_figure(HOSTILE, "12.0", "MW", basis=HOSTILE, day=date(2025, 7, 1), link="/pipelines/")
    found.add_record("pipeline", 1, HOSTILE, link="/pipelines/1/")
    return found


def test_names_and_texts_are_escaped(findings):
    html = as_html(f"{HOSTILE} holds {{r1}}", findings.items)

    assert "<img" not in html
    assert "<script" not in html
    assert html.count("<a ") == 2
    assert '<a href="/pipelines/1/"><bdi>&lt;img' in html


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1", ""]
)
def test_a_link_leads_to_this_site_only(address):
    findings = Findings()
    findings.add_figure("Open", "12.0", "MW", link=address)

    assert as_html("{f1}", findings.items) == "<b>12.0 MW</b>"


def test_what_a_reader_may_not_see_is_left_out(findings):
    assert as_text("{f1} and {f9}", findings.items) == "12.0 MW and (not shown)"
    assert as_html("{f9}", findings.items) == "(not shown)"


def table_of(findings: Findings, number: int) -> Table:
    figures = [
        findings.add_figure(f"Group {one}", one, "pipelines", link=f"/pipelines/?group={one}")
        for one in range(1, number + 1)
    ]
    chart = bars(
        [one.label for one in figures],
        [one.value for one in figures],
        [ACCENT] * number,
        [one.text for one in figures],
        [Link(one.link) for one in figures],
        "pipelines",
    )
    rows = tuple((one.label, one, "") for one in figures)
    return Table("Pipelines by group", ("Group", "Pipelines", "Why"), rows, chart=chart)


def test_a_chart_has_its_first_bars_and_the_table_behind_it_all_rows():
    chart = chart_of(table_of(Findings(), 20), "key")

    assert chart is not None
    assert len(chart.data["labels"]) == len(chart.data["series"][0]["values"]) == 12
    assert len(chart.rows) == 20
    assert chart.finding.startswith("Group 1 1 pipeline, Group 2 2 pipelines, Group 3 3 pipelines")
    assert chart.finding.endswith(" and 17 more")
    assert chart.note == "The chart shows the first 12 of 20."
    assert chart_of(table_of(Findings(), 1), "key") is None


@pytest.mark.django_db
def test_an_answer_says_each_thing_once_and_offers_the_choices_last():
    findings = Findings()
    figure = findings.add_figure("Open", "12.0", "MW", link="/pipelines/")
    record = findings.add_record("pipeline", "1", HOSTILE)
    found = Found("metric", {}, HOSTILE, "/pipelines/", remarks=("Of a month.", "Of all."))
    renderer = Renderer("1", HOSTILE, Asker(User(username="morgan")))
    parts = list(
        renderer.parts_of(
            [
                ReadingShown({"lookup": "asks"}, unread=(HOSTILE,), choices=(record,)),
                Sentence("Open is {f1}.", {"f1": figure}),
                Sentence("Of a month.", {}),
                Shown(found),
                Done(uuid4(), uuid4(), ""),
            ]
        )
    )

    html = "".join(part.html for part in parts)
    assert html.count("Of a month.") == 1
    assert "Of all." in html
    assert "<img" not in html
    assert [part.place for part in parts] == ["reading", "body", "body", "body", "body", "foot"]
    assert "What may be meant" in parts[4].html
    assert "lookup%3Drecord" in parts[4].html
