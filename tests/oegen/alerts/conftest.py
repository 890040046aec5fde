from datetime import UTC, datetime, timedelta

import pytest

from oegen.alerts import delivery
from oegen.models import Alert


class Clock:
    """A time that stands still until it is put forward."""

    def __init__(self):
        self.now = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def deliver(clock):
    """One round of a worker, at the clock's time."""

    def deliver(**kwargs) -> delivery.Tally:
        return delivery.deliver(senders=delivery.senders(), clock=clock, **kwargs)

    return deliver


@pytest.fixture
def make_alert(clock):
    """An alert that is due at the clock's time."""

    def make_alert(key="1", *, channel="slack", recipient=None, **payload) -> Alert:
        usual = {
            "kind": "event",
            "title": f"RAG worsened: Larch {key}",
            "event": "RAG worsened",
            "subject": f"Larch {key}",
            "noun": "pipeline",
            "url": "/pipelines/0c8a3a4e-55d5-4d0c-9b0e-000000000001/",
            "technology": "Solar",
            "capacity": "45.2 MWp",
            "old": "Green",
            "new": "Amber",
            "note": "The grid offer is late.",
            "rule": "RAG worsened, by Slack",
            "who": "Priya Shah",
            "why": "Offer delayed",
            "source": "form",
            "when": "2026-06-10T08:30:00+00:00",
        }
        return Alert.objects.create(
            unique_key=key,
            event="rag-worsened",
            channel=channel,
            recipient=recipient,
            payload=usual | payload,
            created_at=clock(),
            next_attempt_at=clock(),
        )

    return make_alert
