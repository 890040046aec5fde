from datetime import timedelta

import pytest
from django.utils import timezone

from oegen.api.webhooks import sending
from tests.support.builders import make_webhook
from tests.support.https_receiver import HttpsReceiver


class Clock:
    """A time that stands still until it is put forward; it starts now, because signatures grow
    old."""

    def __init__(self):
        self.now = timezone.now()

    def __call__(self):
        return self.now

    def pass_by(self, **span) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with HttpsReceiver(tmp_path_factory.mktemp("webhooks")) as receiver:
        yield receiver


@pytest.fixture
def receiver(server, settings, monkeypatch):
    """A receiver inside the company, whose network and authority are configured."""
    server.requests.clear()
    server.answers.clear()
    with server.is_inside(settings, monkeypatch):
        yield server


@pytest.fixture
def make(receiver, portfolio_manager):
    """A webhook of the portfolio manager at the receiver, and its secret."""

    def make(path="/", **values):
        owner = values.pop("owner", portfolio_manager)
        return make_webhook(owner, **{"url": receiver.url(path)} | values)

    return make


@pytest.fixture
def deliver(clock):
    """One run of the job for a webhook, at the clock's time."""

    def deliver(webhook) -> sending.Tally:
        # Written at the real time, which is later than that of a clock that stands still.
        webhook.deliveries.filter(attempts=0).update(next_attempt_at=clock())
        return sending.deliver(webhook.pk, clock=clock)

    return deliver
