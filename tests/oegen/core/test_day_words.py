"""Days as people write them."""

from datetime import date

import pytest

from oegen.core.day_words import parse_day

TODAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-31", "2026-03-31"),
        ("31/3/2026", "2026-03-31"),
        ("31.03.26", "2026-03-31"),
        ("31 mar 2026", "2026-03-31"),
        ("31st of march 26", "2026-03-31"),
        ("31 mar", "2026-03-31"),
        ("mar 31", "2026-03-31"),
        ("30 jun", "2025-06-30"),
        ("20 may", "2026-05-20"),
        ("21 may", "2025-05-21"),
        ("29 feb", "2024-02-29"),
        ("june 2025", "2025-06-30"),
        ("end of december", "2025-12-31"),
        ("end of feb 2024", "2024-02-29"),
        ("today", "2026-05-20"),
        ("now", "2026-05-20"),
        ("yesterday", "2026-05-19"),
        ("last month end", "2026-04-30"),
        ("month end", "2026-04-30"),
        ("end of last month", "2026-04-30"),
        ("quarter end", "2026-03-31"),
        ("last year-end", "2025-12-31"),
        ("last month", "2026-04-20"),
        ("a month ago", "2026-04-20"),
        ("3 weeks ago", "2026-04-29"),
        ("2 years ago", "2024-05-20"),
    ],
)
def test_a_day_is_read(text, day):
    assert parse_day(text, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text",
    ["", "kestrel", "31 feb 2026", "2026-13-01", "30", "99 jun", "jun jun", "0 may", "1/1/0000"],
)
def test_other_words_are_no_day(text):
    assert parse_day(text, TODAY) is None


@pytest.mark.parametrize("text", ["may 99999", "999 years ago", "9999-12-31", "dec 9999"])
def test_days_far_away_do_no_harm(text):
    parse_day(text, TODAY)
