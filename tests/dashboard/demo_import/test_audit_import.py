"""The demo's audit as history: with its own dates, never run as code."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterparties.models import Contact, Counterparty, CounterpartyContact
from dashboard.demo_import.literals import LENGTH_LIMIT, LiteralError, parse_literal
from infopoints.models import InformationPoint, InformationPointCounterparty
from pipelines.models import Facility, Pipeline, PipelineCounterparty, PipelineFacility

GONE_FIRM = "c0000000-0000-4000-8000-000000000006"
GONE_PIPELINE = "a0000000-0000-4000-8000-000000000009"
GONE_POINT = "b0000000-0000-4000-8000-000000000009"
SANDPIPER = "a0000000-0000-4000-8000-000000000004"
GANNET = "a0000000-0000-4000-8000-000000000002"


def steps(model, **which) -> list[tuple[str, int]]:
    """(history type, year) of the history, oldest first."""
    rows = model.history.filter(**which).order_by("history_date", "history_id")
    return [(row.history_type, row.history_date.year) for row in rows]


def test_a_live_record_goes_on_where_its_audit_ends(demo):
    demo.apply()
    this_year = datetime.now(UTC).year
    expected = [("+", 2022), ("~", 2022), ("~", 2022), ("~", this_year)]
    assert steps(Pipeline, id=SANDPIPER) == expected
    assert steps(PipelineCounterparty, pipeline=SANDPIPER) == expected
    facility = Pipeline.objects.get(pk=SANDPIPER).facilities.get()
    assert steps(Facility, id=facility.pk) == expected
    assert steps(PipelineFacility, pipeline=SANDPIPER) == [("+", 2022), ("~", this_year)]


def test_audit_rows_keep_their_own_date_and_name_their_source(demo):
    demo.apply()
    row = Pipeline.history.filter(id=SANDPIPER).earliest("history_date")
    assert row.history_date == datetime(2022, 7, 2, 9, 0, 1, tzinfo=UTC)
    assert row.history_change_reason == (
        "Imported from the demo's audit (row d0000000-0000-4000-8000-000000000002)."
    )


def test_imported_rows_never_look_newer_than_the_live_record(demo):
    demo.apply()
    pipeline = Pipeline.objects.get(pk=SANDPIPER)
    assert not Pipeline.history.filter(id=SANDPIPER, version__gt=pipeline.version).exists()


def test_old_capacity_columns_become_the_capacity(demo):
    demo.apply()
    gannet = Pipeline.objects.get(pk=GANNET).facilities.get()
    first = Facility.history.filter(id=gannet.pk).earliest("history_date")
    assert first.capacity_mw == 100
    assert "It also said BESSCapacity “5.0”." in first.history_change_reason


def test_old_capacity_columns_serve_a_technology_s_branches_too(demo):
    row = demo.rows("audit.csv")[5]
    demo.set("audit.csv", 5, Data=row[2].replace("'Wind'", "'Offshore wind'"))
    demo.apply()
    gannet = Pipeline.objects.get(pk=GANNET).facilities.get()
    first = Facility.history.filter(id=gannet.pk).earliest("history_date")
    assert (first.technology.code, first.capacity_mw) == ("offshore-wind", 100)


@pytest.mark.heavy
def test_a_long_audit_is_imported_in_full(demo):
    """More rows than one batch, of one record, some of them in files of an earlier run."""
    rows = demo.rows("audit.csv")
    template = rows[7]
    for minute in range(600):
        at = f"2022-09-01 {minute // 60:02}:{minute % 60:02}:00+00:00"
        key = f"d0000000-0000-4000-8000-{minute:012x}".replace("-8000-", "-9000-")
        rows.append([key, at, template[2], template[3]])
        if minute == 300:
            demo.write("audit.csv", rows)
            demo.apply()
    demo.write("audit.csv", rows)
    assert "608 read = 299 created + 0 updated + 309 unchanged" in demo.apply()
    kinds = [kind for kind, _ in steps(Pipeline, id=GONE_PIPELINE)]
    assert kinds == ["+", *["~"] * 600, "-"]
    assert [kind for kind, _ in steps(PipelineFacility, pipeline=GONE_PIPELINE)] == ["+", "-"]


def test_a_record_of_the_audit_alone_reads_as_a_removed_one(demo):
    output = demo.apply()
    this_year = datetime.now(UTC).year
    for model, key in (
        (Counterparty, GONE_FIRM),
        (Pipeline, GONE_PIPELINE),
        (InformationPoint, GONE_POINT),
    ):
        assert steps(model, id=key) == [("+", 2022), ("-", this_year)]
        assert not model.objects.filter(pk=key).exists()
    assert steps(PipelineFacility, pipeline=GONE_PIPELINE) == [("+", 2022), ("-", this_year)]
    ended = Counterparty.history.get(id=GONE_FIRM, history_type="-")
    assert ended.history_change_reason.startswith("Not in the imported files")
    assert "histories of removed pipelines 1" in output


def test_people_of_the_audit_alone_are_history_and_no_contacts(demo):
    demo.apply()
    assert not Contact.objects.filter(name="Jo Lark").exists()
    jo = Contact.history.filter(name="Jo Lark")
    assert sorted(jo.values_list("history_type", flat=True)) == ["+", "-"]
    roles = CounterpartyContact.history.filter(counterparty=GONE_FIRM, history_type="+")
    assert set(roles.values_list("role__code", flat=True)) == {
        "ceo",
        "platform-lead",
        "deal-lead",
        "finance-lead",
    }


def test_a_person_of_audit_and_file_is_one_contact_with_one_history(demo):
    demo.apply()
    asha = Contact.objects.get(name="Asha Rao")
    assert [kind for kind, _ in steps(Contact, id=asha.pk)] == ["+", "~"]


def test_a_name_with_no_place_is_kept_in_words(demo):
    demo.apply()
    row = InformationPoint.history.get(id=GONE_POINT, history_type="+")
    assert "It also named “Nobody Knows Ltd”, which was no counterparty" in (
        row.history_change_reason
    )
    links = InformationPointCounterparty.history.filter(
        information_point=GONE_POINT, history_type="+"
    )
    assert [Counterparty.objects.get(pk=one.counterparty_id).name for one in links] == [
        "Heron Peak Energy"
    ]


def test_a_link_that_a_later_audit_row_lacks_ends_then(demo):
    row = demo.rows("audit.csv")[8]
    data = row[2].replace("'Heron Peak Energy', ", "")
    key = "d0000000-0000-4000-8000-000000000020"
    demo.append("audit.csv", ID=key, Created="2022-07-09 09:00:00+00:00", Data=data)
    demo.apply()
    assert steps(InformationPointCounterparty, information_point=GONE_POINT) == [
        ("+", 2022),
        ("-", 2022),
    ]


def test_audit_rows_out_of_order_are_imported_in_the_order_of_their_dates(demo):
    rows = demo.rows("audit.csv")
    demo.write("audit.csv", [rows[0], *reversed(rows[1:])])
    demo.apply()
    stages = Pipeline.history.filter(id=SANDPIPER, version=0).order_by("history_date")
    assert [(row.history_type, row.stage.code) for row in stages] == [
        ("+", "discovery"),
        ("~", "discovery"),
        ("~", "design"),
    ]


def test_an_audit_row_that_comes_later_is_imported_then(demo):
    demo.apply()
    row = demo.rows("audit.csv")[4]
    demo.append(
        "audit.csv",
        ID="d0000000-0000-4000-8000-000000000020",
        Created="2022-08-01 09:00:00+00:00",
        Data=row[2].replace("'Design'", "'Procurement'"),
        EntityID=row[3],
    )
    output = demo.apply()
    assert "9 read = 1 created + 0 updated + 8 unchanged" in output
    assert [kind for kind, _ in steps(Pipeline, id=SANDPIPER)] == ["+", "~", "~", "~", "~"]


def test_hostile_text_is_text(demo):
    demo.apply()
    row = Pipeline.history.get(id=GONE_PIPELINE, history_type="+")
    assert row.rag_comment.startswith("__import__('os').system(")
    assert "DROP TABLE" in row.rag_comment


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("__import__('pathlib').Path(MARK).touch()", "a call other than datetime.datetime"),
        ("{'ID': open(MARK, 'w')}", "a call other than datetime.datetime"),
        ("{'ID': datetime.datetime.now()}", "a call other than datetime.datetime"),
        ("{'ID': datetime.datetime(2024, 1, 1, tzinfo=open(MARK, 'w'))}", "a call other than"),
        ("{'ID': MARK}", "holds a name"),
        ("{'ID': f'{1}'}", "holds an expression"),
        ("{'ID': [1 for one in ()]}", "holds an expression"),
        ("{'ID': datetime.datetime(2024, 13, 1)}", "a date in it is no date"),
        ("{'ID': 'half \\ud800'}", "half a character"),
        ("{'ID': 'nul \\x00'}", "a NUL character"),
        ("{'ID': 1, 'ID': 2}", "there twice"),
        ("{1: 2}", "a key in it is no text"),
        ("['a list']", "in curly brackets"),
        ("{", "not written as a Python value"),
        ("{'ID': '" + "x" * LENGTH_LIMIT + "'}", "longer than"),
        ("{'ID': 'no id'}", "ID: “no id” is no ID"),
    ],
)
def test_data_that_is_no_plain_dict_is_refused_and_never_run(demo, data, sentence):
    mark = demo.path / "run"
    data = data.replace("MARK", repr(str(mark)) if "MARK" in data and "(" in data else "MARK")
    row = demo.set("audit.csv", 1, Data=data)
    error = demo.refused(apply=True)
    assert "1 row was rejected" in str(error)
    file, line, column, reason, *verbatim = demo.rejects("audit.csv")[0]
    assert (file, line, column) == ("audit.csv", "2", "Data")
    assert sentence in reason
    assert verbatim == row
    assert not mark.exists()
    assert not Counterparty.history.filter(id=GONE_FIRM).exists()


@pytest.mark.parametrize(
    ("cells", "column", "sentence"),
    [
        ({"EntityID": SANDPIPER}, "EntityID", "not the ID inside Data"),
        ({"Created": "2999-01-01"}, "Created", "no date we can take"),
        ({"Created": "2199-01-01"}, "Created", "lies in the future"),
        ({"ID": "d0000000-0000-4000-8000-000000000002"}, "ID", "has this ID already"),
        ({"ID": "7"}, "ID", "is no ID"),
    ],
)
def test_an_audit_row_that_contradicts_itself_is_refused(demo, cells, column, sentence):
    demo.set("audit.csv", 8, **cells)
    assert "1 row was rejected" in str(demo.refused())
    _, line, where, reason, *_ = demo.rejects("audit.csv")[0]
    assert (line, where) == ("9", column)
    assert sentence in reason


def test_an_audit_row_of_no_known_kind_is_refused(demo):
    row = demo.rows("audit.csv")[1]
    demo.set("audit.csv", 1, Data=row[2].replace("'CounterpartyName'", "'Nickname'"))
    demo.refused()
    assert "exactly one of the keys CounterpartyName" in demo.rejects("audit.csv")[0][3]


def test_an_audit_row_with_values_no_record_may_have_is_refused(demo):
    row = demo.rows("audit.csv")[2]
    demo.set("audit.csv", 2, Data=row[2].replace("'Lat': 51.51", "'Lat': 999"))
    demo.refused()
    _, line, column, reason, *_ = demo.rejects("audit.csv")[0]
    assert (line, column) == ("3", "Data")
    assert reason == "Lat: Give a number from -90 to 90 degrees, not 999."


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)


@given(VALUES.filter(lambda value: "\\x00" not in repr(value)))
def test_whatever_python_prints_of_plain_values_is_read_back(value):
    try:
        assert parse_literal(repr(value)) == value
    except LiteralError as error:
        assert "nested" in str(error)


@pytest.mark.parametrize(
    "text", ["-" * 9000 + "1", "[" * 9000, "1+" * 9000 + "1", "a" + ".b" * 9000]
)
def test_deep_text_is_refused_and_brings_nothing_down(text):
    with pytest.raises(LiteralError):
        parse_literal(text)
