"""Pages of the feed: each row once, in order, whatever is written meanwhile."""

import base64
import json

import pytest

from oegen.api.odata import query
from pipelines.models import Pipeline
from tests.oegen.api.odata.conftest import ROOT, follow, read_all
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db


@pytest.fixture
def short_pages(monkeypatch) -> None:
    """A page has 3 rows."""
    monkeypatch.setattr(query, "PAGE_SIZE", 3)


@pytest.fixture(scope="module")
def twenty(module_db) -> list[dict]:
    """What 20 pipelines have in columns with and without nulls."""
    days = [None, "2027-01-01", "2027-01-02"]
    names = ["a", "B", "é", "b", "_"]
    for number in range(20):
        make_pipeline(names[number % 5] + str(number % 2), rtb_date=days[number % 3])
    return [
        {"id": str(one.pk), "project_name": one.project_name, "rtb_date": one.rtb_date}
        for one in Pipeline.objects.all()
    ]


@pytest.mark.parametrize(
    "order", ["", "rtb_date", "rtb_date desc", "project_name,rtb_date desc", "id desc"]
)
def test_pages_have_each_row_once_in_order_with_nulls_first(odata, short_pages, twenty, order):
    rows = read_all(
        odata, f"{ROOT}Pipelines", **{"$select": "id,rtb_date,project_name", "$orderby": order}
    )
    expected = sorted(twenty, key=lambda row: row["id"])
    for part in reversed(order.split(",") if order else []):
        name, _, direction = part.partition(" ")
        expected.sort(
            key=lambda row, name=name: (row[name] is not None, str(row[name])),
            reverse=bool(direction),
        )
    assert [row["id"] for row in rows] == [row["id"] for row in expected]


def test_top_skip_and_count_go_across_pages(odata, short_pages, twenty):
    address = f"{ROOT}Pipelines"
    ordered = [row["id"] for row in read_all(odata, address)]
    some = read_all(odata, address, **{"$top": "7", "$skip": "5"})
    assert [row["id"] for row in some] == ordered[5:12]
    assert read_all(odata, address, **{"$top": "0"}) == []
    assert len(read_all(odata, address, **{"$top": "3"})) == 3
    counted = odata.get(address, {"$count": "true", "$top": "2", "$filter": "rtb_date ne null"})
    assert (counted.json()["@odata.count"], len(counted.json()["value"])) == (13, 2)
    number = odata.get(f"{address}/$count", {"$filter": "rtb_date eq null"})
    assert (number.text, number["Content-Type"]) == ("7", "text/plain")


@pytest.mark.parametrize(
    ("order", "value"),
    [
        ("version", 2**70),
        ("version", 1.5),
        ("ownership_pct", float("nan")),
        ("ownership_pct", "1"),
        ("modified_at", "0001-01-01T00:00:00+05:00"),
        ("modified_at", None),
        ("project_name", "\0"),
        ("overdue", 1),
        ("rtb_date", "2026-02-31"),
    ],
)
def test_a_position_that_no_page_gave_is_refused(odata, order, value):
    values = [f"Pipelines:{order},id", value, "00000000-0000-0000-0000-000000000000"]
    token = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
    answer = odata.get(f"{ROOT}Pipelines", {"$orderby": order, "$skiptoken": token})
    assert answer.status_code == 400
    assert answer.json()["error"]["target"] == "$skiptoken"


def test_a_row_is_read_once_while_others_are_written(odata, short_pages, twenty):
    before = {row["id"] for row in twenty}
    answer = odata.get(f"{ROOT}Pipelines")
    seen = [row["id"] for row in answer.json()["value"]]
    while link := answer.json().get("@odata.nextLink"):
        make_pipeline("New meanwhile")
        answer = follow(odata, link)
        seen += [row["id"] for row in answer.json()["value"]]
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
