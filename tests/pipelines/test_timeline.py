"""The timeline against plain Python: order, groups, stages, dates and what moved."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import pytest
from django.utils import timezone

from oegen import audit
from oegen.asof import as_of
from oegen.core import clock
from oegen.core.text import sort_key
from oegen.models import User
from oegen.people import roles
from pipelines.models import Milestone, MilestoneKind, Pipeline, Stage, Technology
from pipelines.reference import FIELD_OF_KIND
from pipelines.timeline import views
from pipelines.timeline.order import axis_years
from tests.support.builders import make_pipeline, make_user
from tests.support.portfolios import TODAY, make_random_portfolio

PAGE = "/pipelines/timeline/"
ROWS = "/pipelines/timeline/rows/"
SINCE = TODAY - timedelta(days=30)
EPOCH = date(1970, 1, 1)

NAMES = ("id", "name", "rag", "status", "over", "technology", "mw", "unit", "stays", "marks")


@pytest.fixture
def at(monkeypatch):
    def at(day: date):
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return at


def day(number: int | None) -> date | None:
    return None if number is None else EPOCH + timedelta(days=number)


def page(client, query: str = "") -> dict:
    answer = client.get(f"{PAGE}{query}")
    assert answer.status_code == 200
    return answer.context["timeline"]


def rows_of(data: dict) -> list[dict]:
    return [dict(zip(NAMES, row, strict=True)) for row in data["rows"]]


def change_dates(seed: int) -> None:
    """Move, add and take away the dates of RTB, COD and milestones; end and remove projects."""
    with audit.change_set(reason="Played"):
        _change_dates(random.Random(seed))
    make_pipeline(f"Brief {seed}", rtb_date=TODAY + timedelta(days=seed))
    Pipeline.objects.filter(project_name=f"Brief {seed - 1}").delete()


def _change_dates(rng: random.Random) -> None:
    kinds = list(MilestoneKind.objects.all())
    for pipeline in Pipeline.objects.order_by("project_name"):
        if rng.random() < 0.5 and pipeline.rtb_date and not pipeline.stage.is_terminal:
            pipeline.rtb_date = rng.choice([None, pipeline.rtb_date + timedelta(days=61)])
        if rng.random() < 0.5:
            later = (pipeline.rtb_date or TODAY) + timedelta(days=rng.randint(0, 900))
            pipeline.cod_date = rng.choice([None, later])
        elif pipeline.rtb_date and pipeline.cod_date and pipeline.cod_date < pipeline.rtb_date:
            pipeline.cod_date = pipeline.rtb_date
        pipeline.responsible_id = rng.choice([None, *User.objects.values_list("pk", flat=True)])
        pipeline.save()
        for kind in rng.sample(kinds, 3):
            milestone, _ = Milestone.objects.get_or_create(pipeline=pipeline, kind=kind)
            past, ahead = (timedelta(days=rng.randint(1, 900)) for _ in range(2))
            if kind.pk in FIELD_OF_KIND:
                date_of = getattr(pipeline, FIELD_OF_KIND[kind.pk])
                milestone.is_actual = bool(date_of and date_of <= timezone.localdate())
            else:
                milestone.forecast_on = rng.choice([None, TODAY - past, TODAY + ahead])
                milestone.actual_on = rng.choice([None, None, SINCE - past])
            milestone.save()
            if rng.random() < 0.1:
                milestone.delete()


def then() -> dict:
    """The days of the milestones of each pipeline on the effective day."""
    found = {}
    for pipeline in Pipeline.objects.recorded():
        days = {kind: getattr(pipeline, name) for kind, name in FIELD_OF_KIND.items()}
        for one in pipeline.milestones.exclude(kind__in=FIELD_OF_KIND):
            days[one.kind_id] = one.actual_on or one.forecast_on
        found[pipeline.pk] = days
    return found


def stays_of(pipeline: Pipeline) -> list[tuple]:
    """(stage, began, until): a stay ends with a move to another stage, or with the project."""
    moves = pipeline.transitions.select_related("stage").order_by(
        "effective_on", "recorded_at", "pk"
    )
    steps = [
        (one.stage.name if one.outcome == "active" else None, one.outcome == "sold", one)
        for one in moves
    ]
    places = [next(same) for _, same in groupby(steps, key=lambda step: step[:2])]
    ends = [step[2].effective_on for step in places[1:]] + [None]
    return [
        (stage, move.effective_on, end)
        for (stage, _, move), end in zip(places, ends, strict=True)
        if stage and end != move.effective_on
    ]


def marks_of(pipeline: Pipeline, earlier: dict) -> list[tuple]:
    today, stage = clock.today(), pipeline.stage
    is_built = stage.order >= Stage.objects.get(code="construction").order
    is_open = pipeline.outcome == "active" and not pipeline.on_hold and not stage.is_terminal
    recorded = {one.kind_id: one for one in pipeline.milestones.all()}
    marks = []
    for kind in MilestoneKind.objects.order_by("order"):
        one = recorded.get(kind.pk)
        if name := FIELD_OF_KIND.get(kind.pk):
            own = getattr(pipeline, name)
            is_done = bool(one and one.is_actual and own)
            is_reached = is_built if name == "rtb_date" else stage.is_terminal
            can_miss = is_open and not (name == "rtb_date" and is_built)
        else:
            own = (one.actual_on or one.forecast_on) if one else None
            is_done, is_reached, can_miss = bool(one and one.actual_on), False, is_open
        state = 0
        if own and (is_done or (is_reached and own <= today)):
            state = 1
        elif own and own < today and can_miss:
            state = 2
        was = earlier.get(kind.pk)
        moved = [was] if was and was != own else []
        if own or moved:
            marks.append((kind.name, own, state, *moved))
    return marks


def check(client, query: str) -> None:
    """Compare the pages of each grouping with the records of the effective day."""
    today = clock.today()
    with as_of(SINCE):
        earlier = then()
    with as_of(today):
        records = list(Pipeline.objects.recorded().select_related("stage", "responsible"))
        technologies = list(Technology.objects.order_by("order", "name"))
        facts = {}
        for one in records:
            plants = list(one.facilities.select_related("technology"))
            largest = max(
                plants,
                key=lambda plant: (plant.capacity_mw or 0, -plant.technology.order),
                default=None,
            )
            lead = one.counterparty_links.filter(role__code="lead-developer").first()
            facts[one.pk] = {
                "technology": largest.technology.name if largest else "No facility",
                "stage": one.status_label,
                "responsible": str(one.responsible or "Nobody responsible"),
                "developer": lead.counterparty.name if lead else "No lead developer",
                "none": "",
                "plants": plants,
                "stays": stays_of(one),
                "marks": marks_of(one, earlier.get(one.pk, {})),
            }
        capacity = Pipeline.objects.recorded().capacity()
    assert client.get(f"{PAGE}{query}").context["capacity"] == capacity
    by_key = {str(one.pk): one for one in records}
    for group_by in ("none", "technology", "stage", "responsible", "developer"):
        data = page(client, f"{query}&group={group_by}")
        rows = rows_of(data)
        labels = [label for label, number, *_ in data["groups"] for _ in range(number)]
        assert len(labels) == len(rows) == len(records)
        assert {row["id"] for row in rows} == set(by_key)
        place = 0
        for label, number, mw, unit, _ in data["groups"]:
            own = [by_key[row["id"]] for row in rows[place : place + number]]
            place += number
            assert {facts[one.pk][group_by] for one in own} == {label}
            order = [
                (one.rtb_date is None, one.rtb_date or today, sort_key(one.project_name))
                for one in own
            ]
            assert order == sorted(order)
            plants = {plant for one in own for plant in facts[one.pk]["plants"]}
            assert mw == pytest.approx(float(sum(plant.capacity_mw or 0 for plant in plants)))
            bases = {plant.technology.capacity_basis for plant in plants if plant.capacity_mw}
            assert unit == {(): "MW", ("dc",): "MWp", ("ac",): "MW"}.get(tuple(bases), "MW, mixed")
    assert (data["today"], data["since"]) == ((today - EPOCH).days, (SINCE - EPOCH).days)
    for row in rows:
        one = by_key[row["id"]]
        wanted = facts[one.pk]
        sizes = [plant.capacity_mw for plant in wanted["plants"] if plant.capacity_mw is not None]
        technology = (
            "No facility" if row["technology"] is None else technologies[row["technology"]].name
        )
        assert (row["name"], row["rag"]) == (one.project_name, one.rag_status[:1].upper())
        assert (row["status"], technology) == (one.status_label, wanted["technology"])
        assert row["over"] == (one.outcome != "active" or one.stage.is_terminal)
        assert row["mw"] == (pytest.approx(float(sum(sizes))) if sizes else None)
        assert [
            (data["stages"][stage], day(began), day(until)) for stage, began, until in row["stays"]
        ] == wanted["stays"]
        assert [
            (data["kinds"][kind], day(now), state, *map(day, was))
            for kind, now, state, *was in row["marks"]
        ] == wanted["marks"]
    marks = [mark for row in rows for mark in row["marks"]]
    assert {mark[2] for mark in marks} == {0, 1, 2}
    assert {len(mark) for mark in marks} == {3, 4}


def test_everything_equals_plain_python_live_and_on_a_past_day(
    at, as_manager, manager, monkeypatch
):
    monkeypatch.setattr(views, "ROWS", 1000)
    at(SINCE - timedelta(days=5))
    with audit.change_set(reason="Before"):
        make_random_portfolio(5, size=10)
    make_user(roles.MANAGERS, "Hanne")
    change_dates(1)
    at(TODAY)
    change_dates(2)
    query = f"?status=all&compare={SINCE}"
    check(as_manager, query)

    at(TODAY + timedelta(days=40))
    change_dates(3)
    as_manager.force_login(manager)  # The session has ended meanwhile.
    with as_of(TODAY):
        # Inside, the effective day is the page's.
        check(as_manager, f"{query}&as_of={TODAY}")


def test_rows_follow_in_pages_and_an_unchanged_one_is_not_sent_again(as_manager, monkeypatch):
    monkeypatch.setattr(views, "ROWS", 2)
    for number in range(5):
        make_pipeline(f"Site {number + 8}", rag_status="red" if number else "")

    first = page(as_manager, "?rag=red")
    assert [row["name"] for row in rows_of(first)] == ["Site 9", "Site 10"]
    answer = as_manager.get(f"{ROWS}?rag=red&start=2")
    assert [row["name"] for row in rows_of(answer.json())] == ["Site 11", "Site 12"]
    assert answer.json()["version"] == first["version"]
    assert as_manager.get(f"{ROWS}?start=4").json()["rows"][0][1] == "Site 12"
    assert as_manager.get(f"{ROWS}?start=900").json()["rows"] == []
    assert as_manager.get(f"{ROWS}?start=x").status_code == 400

    again = {"If-None-Match": answer["ETag"]}
    assert as_manager.get(f"{ROWS}?rag=red&start=2", headers=again).status_code == 304
    make_pipeline("Site 20", rag_status="red")
    changed = as_manager.get(f"{ROWS}?rag=red&start=2", headers=again)
    assert changed.json()["version"] != first["version"]


def test_it_is_kept_until_something_is_written_that_it_reads(as_manager, at):
    at(TODAY - timedelta(days=1))
    pipeline = make_pipeline("Site", rtb_date=TODAY)
    kind = MilestoneKind.objects.exclude(pk__in=FIELD_OF_KIND).first()
    at(TODAY)

    def version(query: str = "") -> str:
        return as_manager.get(f"{ROWS}{query}").json()["version"]

    known, past = version(), version(f"?as_of={TODAY - timedelta(days=1)}")
    text = version("?q=site")
    for values in (
        {"rag_comment": "Waits for the grid"},
        {"cod_date": TODAY + timedelta(days=90)},
        {"rtb_date": TODAY + timedelta(days=30)},
        {"project_name": "Place"},
    ):
        for name, value in values.items():
            setattr(pipeline, name, value)
        pipeline.save()
        assert (version() == known) is ("rag_comment" in values), values
        known = version()
    assert version("?q=site") != text  # What a search reads is not in the facts.
    Milestone.objects.create(pipeline=pipeline, kind=kind, forecast_on=TODAY)
    assert version() != known
    assert version(f"?as_of={TODAY - timedelta(days=1)}") == past


def test_groups_lead_to_exactly_their_pipelines(as_manager):
    make_pipeline("Held", on_hold=True, responsible=make_user(roles.MANAGERS))
    make_pipeline("Going", stage="procurement")
    for group_by in ("stage", "responsible"):
        groups = page(as_manager, f"?status=all&group={group_by}")["groups"]
        assert len(groups) == 2
        for _, number, _, _, address in groups:
            assert as_manager.get(address).context["total"] == number
    assert page(as_manager)["groups"] == [
        ["No facility", 1, 0, "MW", "/pipelines/?technology=none"]
    ]


def test_mine_is_of_whoever_reads(as_manager, as_editor, manager):
    make_pipeline("Morgan's", responsible=manager)
    for query in ("?responsible=~me", "?responsible=~me&start=0"):
        assert as_manager.get(f"{ROWS}{query}").json()["rows"][0][1] == "Morgan's"
        assert as_editor.get(f"{ROWS}{query}").json()["rows"] == []


def test_page_without_rows_and_with_wrong_values(as_manager):
    assert "No pipeline is here." in as_manager.get(PAGE).text
    make_pipeline("Kestrel <script>")
    text = as_manager.get(f"{PAGE}?compare=2099-01-01&group=moon&zoom=near").text
    assert "Choose a day before" in text
    assert "Kestrel <script>" not in text
    assert 'data-zoom="fit"' in text
    assert "Nothing is shown, because" in as_manager.get(f"{PAGE}?rag=purple").text


def test_axis_leaves_out_what_is_far_out(at):
    at(TODAY)
    years = Counter([2019, 2021, 2024, 2026, 2027, 2028, 2030, 2031])
    assert axis_years(years) == (2019, 2031)
    assert axis_years(years + Counter([2099, 1904])) == (2019, 2031)
    assert axis_years(Counter()) == (2026, 2026)
