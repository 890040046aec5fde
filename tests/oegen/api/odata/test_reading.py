"""The feed over HTTP: options, past days, and that $metadata is true."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oegen.api.odata.sets import SETS
from oegen.core import clock
from tests.oegen.api.odata.conftest import ROOT, read_all
from tests.support.builders import (
    make_contact,
    make_pipeline,
    make_portfolio,
)

pytestmark = pytest.mark.django_db

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def test_metadata_is_true_of_every_payload(odata, portfolio_manager):
    make_portfolio(portfolio_manager)
    make_pipeline("Bare")
    sets = {one["name"] for one in odata.get(ROOT).json()["value"]}
    document = ElementTree.fromstring(odata.get(f"{ROOT}$metadata").content)  # noqa: S314
    types = {one.get("Name"): one for one in document.iter(f"{EDM}EntityType")}
    described = {one.get("Name"): one.get("EntityType") for one in document.iter(f"{EDM}EntitySet")}
    assert sets == set(described) == set(SETS)
    for name, entity_type in described.items():
        entity = types[entity_type.partition(".")[2]]
        properties = {one.get("Name"): one for one in entity.iter(f"{EDM}Property")}
        rows = read_all(odata, f"{ROOT}{name}")
        assert rows, f"{name} has no row to look at"
        for row in rows:
            assert list(row) == list(properties)
            for column, value in row.items():
                assert_is_of(properties[column], value)
        keys = [one.get("Name") for one in entity.iter(f"{EDM}PropertyRef")]
        assert len({tuple(row[key] for key in keys) for row in rows}) == len(rows)
        for annotation in entity.iter(f"{EDM}Annotation"):
            assert annotation.get("String", "").strip()


def assert_is_of(described: ElementTree.Element, value) -> None:
    """The value is one of the property."""
    if value is None:
        assert described.get("Nullable") != "false", described.attrib
        return
    kind = described.get("Type")
    if kind == "Edm.Decimal":
        assert type(value) in (int, float)
        assert value == round(value, int(described.get("Scale")))
    elif kind in ("Edm.Int32", "Edm.Int64"):
        assert type(value) is int
    elif kind == "Edm.Boolean":
        assert type(value) is bool
    elif kind == "Edm.Guid":
        assert str(UUID(value)) == value
    elif kind == "Edm.Date":
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    elif kind == "Edm.DateTimeOffset":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value)
    else:
        assert (kind, type(value)) == ("Edm.String", str)


def test_incremental_refresh_reads_what_changed_since(odata):
    old, new = make_pipeline("Old"), make_pipeline("New")
    since = datetime.now(UTC)
    new.next_step = "Now"
    new.save()
    text = f"modified_at ge {since:%Y-%m-%dT%H:%M:%S.%fZ} and modified_at lt 2100-01-01T00:00:00Z"
    assert [row["id"] for row in read_all(odata, f"{ROOT}Pipelines", **{"$filter": text})] == [
        str(new.pk)
    ]
    text = f"modified_at lt {since:%Y-%m-%dT%H:%M:%S.%f}+00:00"
    [row] = read_all(odata, f"{ROOT}Pipelines", **{"$filter": text})
    assert row["id"] == str(old.pk)


def test_a_past_day_has_a_root_of_its_own(odata):
    past = clock.today() - timedelta(days=30)
    with_row = make_pipeline("Larch")
    root = f"{ROOT}as-of/{past}/"
    assert [row["id"] for row in read_all(odata, f"{ROOT}Pipelines")] == [str(with_row.pk)]
    assert read_all(odata, f"{root}Pipelines") == []
    assert odata.get(f"{ROOT}as-of/{clock.today()}/Pipelines/$count").text == "1"
    assert odata.get(root).json()["@odata.context"].endswith(f"{root}$metadata")
    for address in (f"{ROOT}?as_of={past}", f"{ROOT}Pipelines?as_of={past}"):
        refused = odata.get(address)
        assert refused.status_code == 400
        assert "/odata/v1/as-of/2026-03-31/" in refused.json()["error"]["message"]
    for day in ("2999-01-01", "1999-01-01", "yesterday"):
        assert odata.get(f"{ROOT}as-of/{day}/").status_code == 400


@pytest.mark.parametrize(
    "options",
    [
        {"$filter": "password eq 'x'"},
        {"$filter": "x" * 4_001},
        {"$select": "id,password"},
        {"$orderby": "password"},
        {"$orderby": "id sideways"},
        {"$top": "-1"},
        {"$top": "x"},
        {"$skip": "99999999999"},
        {"$count": "yes"},
        {"$expand": "facilities"},
        {"$apply": "aggregate(x)"},
        {"limit": "5"},
        {"$skiptoken": "x"},
        {"$skiptoken": "WyJQaXBlbGluZXM6aWQiLCJ4Il0"},
        {"$top": ["1", "2"]},
    ],
)
def test_what_is_not_understood_is_400_with_a_sentence(odata, options):
    answer = odata.get(f"{ROOT}Pipelines", options)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["target"] == next(iter(options))
    assert error["message"].endswith(".")


def test_unknown_addresses_are_404_in_json(odata):
    for path in ("Users", "Pipelines/1", "Pipelines('x')", "$batch", "Pipelines/$count/x"):
        answer = odata.get(f"{ROOT}{path}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")


def test_answers_are_compressed_and_of_version_4(odata):
    make_pipeline("Larch " * 30)
    answer = odata.get(f"{ROOT}Pipelines", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert answer["OData-Version"] == "4.0"
    assert answer["Content-Type"] == "application/json;odata.metadata=minimal"
    assert len(json.loads(gzip.decompress(answer.content))["value"]) == 1


def test_the_number_of_queries_does_not_depend_on_rows(odata, portfolio_manager):
    make_portfolio(portfolio_manager)

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert odata.get(address).status_code == 200
        return len(captured)

    addresses = [f"{ROOT}{name}?$count=true" for name in SETS]
    odata.get(ROOT)
    few = dict(zip(SETS, map(queries, addresses), strict=True))
    for number in range(10):
        make_pipeline(f"More {number}", capacity_mw=5)
        make_contact(f"More {number}")
    later = dict(zip(SETS, map(queries, addresses), strict=True))
    # Of the figures, some parts stay cached.
    assert later.pop("Metrics") <= few.pop("Metrics")
    assert later == few
    assert max(few.values()) <= 8
