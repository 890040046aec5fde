"""What lookups give, refuse, and never do."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.ask.answering import answer
from dashboard.ask.definitions import define
from dashboard.ask.findings import Findings, parts_of, print_value
from dashboard.ask.grammar import read
from dashboard.ask.grammar.lexicon import Kind, lexicon
from dashboard.ask.lookups import LOOKUPS, Asker, LookupRefusedError, run, tools
from dashboard.ask.lookups.listing import CHANGES, KINDS
from dashboard.figures import FIGURES
from oegen.core import clock
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline
from tests.dashboard.ask.support import CHANGED, TODAY

pytestmark = pytest.mark.django_db


def look(lookup: str, asker: Asker, /, **arguments):
    return run(lookup, arguments, asker, Findings())


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("weather", {}, "There is no lookup “weather”"),
        ("metric", {"name": "open-capacity", "colour": "red"}, "There is no argument “colour”"),
        ("metric", {"name": "profit"}, "There is no figure “profit”"),
        ("metric", {"name": "open-capacity:profit"}, "This figure has no “profit”"),
        ("metric", {"name": "open-capacity", "filters": "rag=blue"}, "There is no “blue” here"),
        ("metric", {"name": "open-capacity", "filters": {"price": "1"}}, "no filter “price”"),
        ("metric", {"name": "open-capacity", "group_by": "colour"}, "Group by one or two"),
        ("metric", {"name": "net-capacity", "group_by": "holder"}, "the open capacity alone"),
        ("metric", {"name": "open-capacity", "as_of": "2031-01-01"}, "Give a day from"),
        ("metric", {"name": "open-capacity", "compare": str(TODAY)}, "Give a day before"),
        ("metric", {"name": "stages:median_days", "part": "heaven"}, "no part “heaven”"),
        ("records", {"kind": "users"}, "kind:"),
        ("records", {"kind": "pipeline", "order": "password"}, "no column “password”"),
        ("records", {"kind": "pipeline", "limit": 9999}, "limit:"),
        ("records", {"kind": CHANGES, "filters": "kind=painted"}, "There is no “painted”"),
        ("explain", {"from": str(TODAY), "to": str(CHANGED)}, "Give a day before"),
        (
            "record",
            {"kind": "pipeline", "id": "6f1c1f0e-0000-4000-8000-000000000000"},
            "no pipeline",
        ),
        ("define", {"term": "happiness"}, "has no definition"),
    ],
)
def test_lookups_say_what_is_wrong(asker, name, arguments, problem):
    with pytest.raises(LookupRefusedError, match=problem):
        look(name, asker, **arguments)


def test_people_are_named_only_to_those_who_may_read_that(asker):
    stranger = Asker(asker.person)
    for arguments in ({"kind": "contact"}, {"kind": "audit"}):
        with pytest.raises(LookupRefusedError, match="name people"):
            look("records", stranger, **arguments)
    with pytest.raises(LookupRefusedError, match="name people"):
        look("metric", stranger, name="open-capacity", group_by="responsible")
    assert not look("find", stranger, name="Alice Marsh").records
    assert look("find", asker, name="Alice Marsh").records
    key = str(Pipeline.objects.exclude(responsible=None).first().pk)
    told = json.dumps(look("record", stranger, kind="pipeline", id=key).as_json())
    for person in ("Hanne", "Rosendahl", "Isla", "Fenwick", "Rafael", "Tomasz", "Amara"):
        assert person not in told
        assert person not in json.dumps(tools(stranger))
    assert read("Hanne's projects", stranger).unread == ("Hanne's",)


def test_nothing_is_written(asker):
    """One of each lookup, and no statement that writes a record."""
    questions = (
        *(
            "open MW by stage",
            "overdue projects",
            "why did MW fall this year",
            "what needs attention",
        ),
        *("find Hollinley", "RAG of Kestrelmoor", "map of Italy", "what does overdue mean"),
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = [answer(question, asker) for question in questions]
    assert {one.reading.lookup for one in found if one.found} >= {
        *("metric", "records", "explain", "attention", "record", "screen", "define"),
    }
    written = [
        query["sql"]
        for query in queries
        if query["sql"].startswith(('INSERT INTO "pipelines', "UPDATE", "DELETE FROM"))
    ]
    assert written == []


def test_lookups_read_as_of_the_day_of_the_page(asker):
    """In May Gannet Swell was amber; since June it is red."""
    key = str(Pipeline.objects.get(project_name="Gannet Swell Offshore Wind").pk)
    past = Asker(asker.person, as_of=clock.a_month_before(CHANGED), may_read_personal=True)
    for one, rag in ((asker, "Red"), (past, "Amber")):
        assert look("record", one, kind="pipeline", id=key).facts["rag"] == (rag,)
    before = look("metric", past, name="open-capacity", filters="rag=red")
    now = look("metric", asker, name="open-capacity", filters="rag=red", compare=str(past.as_of))
    assert before.main[0].value == now.main[1].value != now.main[0].value
    assert f"as_of={past.as_of}" in before.link and "as_of" not in now.link


def test_the_page_is_read_with_its_filters(asker):
    at = Asker(asker.person, page="/pipelines/?technology=solar&sort=rtb_date")
    found = look("screen", at)
    solar = look("metric", asker, name="open-capacity", filters="technology=solar")
    assert found.main[0].value == solar.main[0].value
    assert read("how many of these are red", at).filters == "rag=red&technology=solar"
    key = Pipeline.objects.get(project_name="Kestrelmoor Wind Farm").pk
    at = Asker(asker.person, page=f"/pipelines/{key}/")
    assert look("screen", at).main[0].name == "Kestrelmoor Wind Farm"


def test_schemas_are_strict_and_name_the_choices_of_today(asker):
    found = {one["name"]: one["parameters"] for one in tools(asker)}
    assert set(found) == set(LOOKUPS)

    def check(schema):
        if "properties" in schema:
            assert schema["additionalProperties"] is False
            assert schema["required"] == list(schema["properties"])
            for one in schema["properties"].values():
                check(one)

    for schema in found.values():
        check(schema)
    filters = found["metric"]["properties"]["filters"]["properties"]
    assert "procurement" in filters["status"]["items"]["enum"]
    assert all(name in found["metric"]["properties"]["name"]["description"] for name in FIGURES)
    assert tuple(found["records"]["properties"]["kind"]["enum"]) == KINDS


def test_references_number_on_through_a_conversation(asker):
    findings = Findings()
    first = run("metric", {"name": "open-capacity"}, asker, findings)
    second = run("metric", {"name": "open-pipelines"}, asker, findings)
    refs = [one.ref for one in (*first.figures, *second.figures)]
    assert refs == [f"f{number}" for number in range(1, len(refs) + 1)]
    assert [*parts_of("There are {f1}.", findings)][1] is first.figures[0]


def test_values_are_printed_with_their_units():
    assert print_value("1204.000", "MW") == "1,204 MW"
    assert print_value("12400.000", "MWh") == "12.4 GWh"
    assert print_value("42.500", "MWp") == "42.5 MWp"
    assert print_value(1, "pipelines") == "1 pipeline"
    assert print_value(None, "days") == "not known"


def test_every_filter_of_the_lexicon_is_one_of_the_pages(asker):
    """So that no phrase stands for a filter that was renamed."""
    several = {"ended", "before-construction", "building"}
    for kind, value, phrase in lexicon().phrases:
        name, _, code = value.partition("=")
        if kind is not Kind.FILTER or code in several:
            continue
        look("metric", asker, name="open-pipelines", filters=f"{name}={code}")
        assert name in PipelineFilter().parameters, phrase


def test_figures_named_in_the_lexicon_exist():
    names = {value.partition(":")[0] for kind, value, _ in lexicon().phrases if kind is Kind.FIGURE}
    assert names <= set(FIGURES)


@pytest.mark.parametrize(
    "term",
    [
        "overdue",
        "open",
        "net",
        "weighted",
        "MW mixed",
        "RTB",
        "COD",
        "slippage",
        "conversion",
        "P80",
    ],
)
def test_words_of_the_product_have_definitions(term):
    assert define(term) is not None
