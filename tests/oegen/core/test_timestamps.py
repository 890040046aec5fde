"""Timestamps of PostgreSQL, read by our own loader."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DataError, connection

pytestmark = pytest.mark.django_db


def read(text: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        return cursor.fetchone()[0]


def test_every_precision_and_zone_is_read_in_utc():
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert read("2026-10-25 12:00:00+00") == noon
    assert read("2026-10-25 14:00:00.1+02") == noon + timedelta(milliseconds=100)
    assert read("2026-10-25 12:00:00.000001+00") == noon + timedelta(microseconds=1)
    assert read("0001-01-01 00:00:00+00").tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "20000-01-01 00:00:00+00", "0044-03-15 00:00+00 BC"])
def test_what_python_does_not_know_is_refused(text):
    with pytest.raises(DataError, match="timestamp too"):
        read(text)
