"""How long projects take: by the estimate of Kaplan and Meier, from what registers say of them."""

from datetime import date, timedelta

import pytest

from pipelines.registers.choices import RegisterOutcome
from pipelines.registers.survival import Course, Duration, Span, estimate

DAY = date(2024, 1, 1)


def on(days: int) -> date:
    return DAY + timedelta(days)


def test_projects_still_waiting_count_for_as_long_as_they_wait():
    """By hand: 12 at risk; at 100 days 3 reach it (0.75), 2 leave unseen; at 200 days 4 of 7 reach
    it (0.321); at 300 days all 3 that are left (0)."""
    spans = [
        *[Span(100, is_reached=True)] * 3,
        *[Span(150, is_reached=False)] * 2,
        *[Span(200, is_reached=True)] * 4,
        *[Span(300, is_reached=True)] * 3,
        None,
    ]
    assert estimate(spans) == Duration(12, 10, median_days=200, usual_days=300)


def test_few_that_reached_it_say_no_usual_time():
    spans = [Span(100, is_reached=True)] * 9 + [Span(500, is_reached=False)] * 40
    assert estimate(spans) == Duration(49, 9)
    assert estimate([]) == Duration()


def test_what_less_than_half_reached_has_no_median():
    spans = [Span(100, is_reached=True)] * 10 + [Span(500, is_reached=False)] * 11
    assert estimate(spans) == Duration(21, 10)


@pytest.mark.parametrize(
    ("course", "consent", "operation"),
    [
        # Waiting for a decision, as the newest edition says.
        ({"stage__code": "design"}, Span(900, is_reached=False), None),
        # Refused, and so a year at least; of another nobody knows when.
        ({"outcome": "refused", "refused_on": on(365)}, Span(365, is_reached=False), None),
        ({"outcome": "refused"}, None, None),
        # Consented on appeal, not built yet.
        (
            {"stage__code": "procurement", "refused_on": on(100), "consented_on": on(300)},
            Span(300, is_reached=True),
            Span(600, is_reached=False),
        ),
        # The consent lapsed before it was built.
        (
            {"outcome": "on-hold", "consented_on": on(100), "consent_expires_on": on(800)},
            Span(100, is_reached=True),
            Span(700, is_reached=False),
        ),
        (
            {"outcome": "built", "consented_on": on(100), "operational_on": on(400)},
            Span(100, is_reached=True),
            Span(300, is_reached=True),
        ),
        # Built before it was allowed: the days contradict each other.
        (
            {"outcome": "built", "consented_on": on(100), "operational_on": on(50)},
            Span(100, is_reached=True),
            None,
        ),
        # Built, but nothing says when it was allowed; replaced by another application.
        ({"outcome": "built", "operational_on": on(400)}, None, None),
        ({"outcome": "superseded", "stage__code": "design"}, None, None),
    ],
)
def test_ways_of_projects(course, consent, operation):
    found = Course(**{"submitted_on": DAY, "last_seen_on": on(900)} | course)
    assert found.outcome in RegisterOutcome.values
    assert (found.to_consent, found.to_operation) == (consent, operation)
