"""$filter against plain Python: the same rows, whatever the filter."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oegen.api.odata.errors import ODataError
from oegen.api.odata.filters import MAX_LENGTH, MAX_LEVELS, parse_filter
from oegen.api.odata.query import read_page, read_query
from oegen.api.odata.sets import SETS
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

TEXTS = ["", "a", "Ab", "bA%", "o'b_", "é\\"]
DAYS = [None, date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 30)]
PERCENTS = [None, Decimal(0), Decimal("0.1"), Decimal("33.33"), Decimal(100)]


@pytest.fixture(scope="module")
def rows(module_db) -> list[dict]:
    """By column, the values of pipelines of every combination that matters."""
    for number, text in enumerate(TEXTS):
        for place, day in enumerate(DAYS):
            make_pipeline(
                f"{text}{number}",
                next_step=text,
                rtb_date=day,
                probability_pct=(chance := PERCENTS[(number + place) % len(PERCENTS)]),
                probability_reason="" if chance is None else "Because",
                on_hold=place == 1,
            )
    return [
        {
            "id": one.pk,
            "project_name": one.project_name,
            "next_step": one.next_step,
            "rtb_date": one.rtb_date,
            "probability_pct": one.probability_pct,
            "on_hold": one.on_hold,
        }
        for one in Pipeline.objects.all()
    ]


# A filter is its text and a function of a row, which gives true, false or null.


def literal(value) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'{}'".format(value.replace("'", "''"))
    return str(value)


COMPARE = {
    "eq": lambda one, other: one == other,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: None not in (one, other) and one < other,
    "le": lambda one, other: None not in (one, other) and one <= other,
    "gt": lambda one, other: None not in (one, other) and one > other,
    "ge": lambda one, other: None not in (one, other) and one >= other,
}
COLUMNS = {"next_step": TEXTS, "rtb_date": DAYS, "probability_pct": PERCENTS}


@st.composite
def comparisons(draw):
    column = draw(st.sampled_from(list(COLUMNS)))
    operator = draw(st.sampled_from(list(COMPARE)))
    value = draw(st.sampled_from(COLUMNS[column]))
    text = f"{column} {operator} {literal(value)}"
    return text, lambda row: COMPARE[operator](row[column], value)


@st.composite
def memberships(draw):
    column = draw(st.sampled_from(list(COLUMNS)))
    values = draw(st.lists(st.sampled_from(COLUMNS[column]).filter(lambda one: one is not None)))
    values = values or [next(one for one in COLUMNS[column] if one is not None)]
    return f"{column} in ({', '.join(map(literal, values))})", lambda row: row[column] in values


@st.composite
def functions(draw):
    name = draw(st.sampled_from(["contains", "startswith", "endswith"]))
    text = draw(st.sampled_from(["", "a", "A", "%", "'", "_", "\\"]))
    lower = draw(st.booleans())
    call = {
        "contains": lambda whole: text in whole,
        "startswith": lambda whole: whole.startswith(text),
        "endswith": lambda whole: whole.endswith(text),
    }[name]
    column = "tolower(next_step)" if lower else "next_step"
    return (
        f"{name}({column},{literal(text)})",
        lambda row: call(row["next_step"].lower() if lower else row["next_step"]),
    )


@st.composite
def parts_of_days(draw):
    name = draw(st.sampled_from(["year", "month", "day"]))
    value = draw(st.sampled_from([2026, 2027, 1, 6, 31]))
    return (
        f"{name}(rtb_date) eq {value}",
        lambda row: row["rtb_date"] is not None and getattr(row["rtb_date"], name) == value,
    )


BOOLEANS = st.sampled_from(
    [
        ("on_hold", lambda row: row["on_hold"]),
        ("on_hold eq false", lambda row: not row["on_hold"]),
        ("(on_hold eq true)", lambda row: row["on_hold"]),
        ("next_step eq project_name", lambda row: row["next_step"] == row["project_name"]),
    ]
)


def combined(inner):
    def both(pair):
        (left, of_left), (right, of_right) = pair
        return f"{left} and {right}", lambda row: of_left(row) and of_right(row)

    def either(pair):
        (left, of_left), (right, of_right) = pair
        return f"({left} or {right})", lambda row: of_left(row) or of_right(row)

    def negated(one):
        text, of_row = one
        return f"not ({text})", lambda row: not of_row(row)

    def as_value(one):
        text, of_row = one
        return f"(({text}) eq false)", lambda row: not of_row(row)

    pairs = st.tuples(inner, inner)
    return pairs.map(both) | pairs.map(either) | inner.map(negated) | inner.map(as_value)


FILTERS = st.recursive(
    comparisons() | memberships() | functions() | parts_of_days() | BOOLEANS,
    combined,
    max_leaves=6,
)


def ids(text: str) -> set:
    """The ids of the rows that a filter leaves."""
    options = [("$filter", [text]), ("$select", ["id"])]
    page = read_page(read_query(SETS["Pipelines"], options, personal=True))
    to_json = page.columns[0].type.to_json
    return {to_json(row[0]) for row in page.rows}


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(FILTERS)
def test_a_filter_leaves_the_rows_that_plain_python_leaves(rows, example):
    text, of_row = example
    assert ids(text) == {str(row["id"]) for row in rows if of_row(row)}, text


PIECES = st.sampled_from(
    [
        *("(", ")", ",", "'", "''", "'a'", "and", "or", "not", "eq", "ne", "lt", "in", "null"),
        *("true", "rtb_date", "next_step", "on_hold", "probability_pct", "id", "version", "12"),
        *("-1.5", "2027-01-01", "2027-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"),
        *("contains(", "tolower(", "year(", "%", "%s", "é", "\x00", ";", '"', "--"),
    ]
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PIECES, max_size=9))
def test_nonsense_is_refused_and_never_an_error_of_the_database(rows, pieces):
    try:
        ids(" ".join(pieces))
    except ODataError as error:
        assert str(error)


COLUMNS_OF = SETS["Pipelines"].by_name


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("password eq 'x'", "no column “password”"),
        ("responsible__password eq 'x'", "no column"),
        ("responsible/password eq 'x'", "can't be read"),
        ("stage", "is no condition"),
        ("'x'", "is no condition"),
        ("stage eq", "ends where"),
        ("stage eq 5", "“stage” can be compared with a text"),
        ("rtb_date gt '2026'", "a day, such as"),
        ("rtb_date gt 2026-02-31", "is no day"),
        ("overdue lt true", "by eq and ne only"),
        ("overdue and", "ends where"),
        ("overdue overdue", "put “and” or “or”"),
        ("(overdue", "“)” is missing"),
        ("overdue)", "not expected"),
        ("not stage", "is no condition"),
        ("sleep(stage) eq 1", "no function “sleep”"),
        ("contains(stage)", "contains() takes"),
        ("contains(rtb_date,'x')", "contains() takes"),
        ("stage in ()", "is missing before “)”"),
        ("stage in ('a', 1)", "takes a text"),
        ("stage in ('a', null)", "takes a text"),
        ("stage eq 'a' or 1 eq 1; drop", "can't be read"),
        ("stage eq 'x\0'", "NUL"),
        ("ownership_pct eq 1e999", "can't be read"),
        ("id eq 0000", "compared with an id"),
        ("modified_at ge 0001-01-01T00:00:00+05:00", "is no time"),
        ("modified_at ge 2026-01-01T25:00:00Z", "is no time"),
        ("eq eq eq", "is missing before “eq”"),
    ],
)
def test_a_wrong_filter_is_told_what_is_wrong(text, part):
    with pytest.raises(ODataError) as refused:
        parse_filter(text, COLUMNS_OF)
    assert part in str(refused.value)
    assert (refused.value.status, refused.value.target) == (400, "$filter")


HALF = MAX_LEVELS // 2


@pytest.mark.parametrize(
    "text",
    [
        "(" * MAX_LEVELS + "overdue" + ")" * MAX_LEVELS,
        "not " * MAX_LEVELS + "overdue",
        "not (open and " * HALF + "overdue" + ")" * HALF,
        "open and (overdue or (" * HALF + "overdue" + "))" * HALF,
        "(" * MAX_LEVELS + "overdue" + " eq open)" * MAX_LEVELS,
        "(not " * HALF + "overdue" + " eq open)" * HALF,
        "open eq (" * MAX_LEVELS + "overdue" + ")" * MAX_LEVELS,
        "open ne (not (" * (MAX_LEVELS // 3) + "overdue" + "))" * (MAX_LEVELS // 3),
        "tolower(" * MAX_LEVELS + "stage" + ")" * MAX_LEVELS + " eq 'x'",
        "contains(" + "tolower(toupper(" * (HALF - 1) + "stage" + "))" * (HALF - 1) + ",'x')",
        " or ".join(["open"] * ((MAX_LENGTH + 4) // 8)),
        "id in (" + ",".join(["00000000-0000-0000-0000-000000000000"] * 100) + ")",
    ],
)
def test_filters_as_deep_and_long_as_they_may_be_run(rows, text):
    assert ids(text) <= {str(row["id"]) for row in rows}


@pytest.mark.parametrize(
    "text",
    [
        "(" * (MAX_LEVELS + 1) + "overdue" + ")" * (MAX_LEVELS + 1),
        "not " * (MAX_LEVELS + 1) + "overdue",
        "tolower(" * 200 + "stage" + ")" * 200 + " eq 'x'",
        f"overdue{' ' * MAX_LENGTH}",
    ],
)
def test_deeper_and_longer_filters_are_refused(text):
    with pytest.raises(ODataError):
        parse_filter(text, COLUMNS_OF)
