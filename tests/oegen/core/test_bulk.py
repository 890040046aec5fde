"""Inserting many rows past Django's ``bulk_create``."""

from collections import namedtuple
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import DataError, connection, transaction

from oegen.core import bulk
from oegen.core.columns import map_once
from oegen.search.models import RecordKey, SearchDocument, SortKey
from pipelines.facts.models import FactRevision
from tests.support.builders import make_pipeline

pytestmark = pytest.mark.django_db

TEXTS = ["", "\\N", "\\.", "a\tb\nc\r\\d", "N", "é漢🌱", "'\"{},", "x" * 70_000]


def test_every_text_is_inserted_as_it_is():
    kind = ContentType.objects.get_for_model(FactRevision)
    key = make_pipeline().pk
    bulk.insert(
        RecordKey,
        [RecordKey(content_type=kind, object_id=key, kind="name", key=text) for text in TEXTS],
    )
    stored = RecordKey.objects.filter(content_type=kind).order_by("pk")
    assert list(stored.values_list("key", "object_id", "number")) == [
        (text, key, None) for text in TEXTS
    ]


def test_more_rows_than_are_sent_at_a_time_arrive_in_their_order():
    texts = [f"Text {number}" for number in range(2 * bulk._SENT_ROWS + 1)]
    bulk.insert(SortKey, [SortKey(text=text, key=text) for text in texts])
    stored = SortKey.objects.filter(text__startswith="Text ").order_by("pk")
    assert list(stored.values_list("text", flat=True)) == texts


def test_rows_need_not_be_instances():
    row = namedtuple("row", "text key")
    bulk.insert(SortKey, [row("Of a tuple", "of a tuple")])
    assert SortKey.objects.get(text="Of a tuple").key == "of a tuple"


def test_the_hour_that_comes_twice_is_two_hours():
    """Python says that both are equal."""
    london = ZoneInfo("Europe/London")
    times = [datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=fold) for fold in (0, 1)]
    assert times[0] == times[1]
    bulk.insert(FactRevision, [FactRevision(changed_from=when) for when in times])
    stored = FactRevision.objects.order_by("pk").values_list("changed_from", flat=True)
    assert list(stored)[-2:] == [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]


def test_number_that_the_column_cannot_hold_is_refused():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's integers have no such limit")
    kind = ContentType.objects.get_for_model(SearchDocument)
    row = RecordKey(content_type=kind, object_id=make_pipeline().pk, kind="name", number=2**31)
    with pytest.raises(DataError, match="number can't hold 2147483648"), transaction.atomic():
        bulk.insert(RecordKey, [row])


def test_equal_values_of_one_type_are_converted_once():
    converted = []
    assert map_once(lambda value: converted.append(value) or f"<{value}>", ["a", "b", "a", None])
    assert sorted(converted, key=str) == [None, "a", "b"]


@pytest.mark.parametrize(
    "values", [[1, True], [0.0, -0.0], [Decimal("-0"), Decimal(0)], [{"a": 1}, {"a": 1}]]
)
def test_equal_values_that_differ_are_told_apart(values):
    assert map_once(repr, values) == list(map(repr, values))


def test_time_without_a_zone_is_one_of_the_time_zone_of_the_settings(settings):
    settings.TIME_ZONE = "Europe/London"
    summer = datetime(2026, 7, 1, 12)  # noqa: DTZ001, that is what it is about
    with pytest.warns(RuntimeWarning, match="received a naive datetime"):
        bulk.insert(FactRevision, [FactRevision(changed_from=summer)])
    stored = FactRevision.objects.latest("pk").changed_from
    assert stored == datetime(2026, 7, 1, 11, tzinfo=UTC)
