"""Workers as processes: two at once, one that is killed, one that is asked to end."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from oegen.models import Alert
from tests.support.databases import database_url
from tests.support.fake_slack import hang, respond

pytestmark = pytest.mark.usefixtures("transactional_db")

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 60


@pytest.fixture
def start(slack):
    workers = []

    def start(*options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "django", "send_alerts", *options]
        worker = subprocess.Popen(
            [*command, "--settings", "tests.settings"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": database_url(), "SLACK_WEBHOOK_URL": slack.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


def finish(worker: subprocess.Popen) -> int:
    """The number that it sent, once it is done; fails if it failed."""
    reported, errors = worker.communicate(timeout=TIMEOUT_SECONDS)
    assert worker.returncode == 0, errors
    return int(re.search(r"([\d,]+) sent", reported)[1].replace(",", ""))


def test_two_workers_send_a_thousand_alerts_each_exactly_once(slack, make_alert, start):
    first = make_alert("0")
    Alert.objects.bulk_create(
        Alert(
            unique_key=f"{number}",
            event=first.event,
            channel="slack",
            payload=first.payload | {"title": f"{number}"},
            next_attempt_at=timezone.now() - timedelta(minutes=1),
        )
        for number in range(1, 1000)
    )
    meeting = threading.Barrier(2)

    def answer_when_both_are_at_work(handler):
        meeting.wait(TIMEOUT_SECONDS)
        respond(200, "ok")(handler)

    slack.answers = [answer_when_both_are_at_work] * 2
    workers = [start(), start()]
    sent = [finish(worker) for worker in workers]
    assert sum(sent) == 1000
    assert min(sent) > 0
    assert set(Counter(slack.texts).values()) == {1}
    assert len(slack.texts) == 1000
    assert not Alert.objects.exclude(sent_at__isnull=False, attempts=1, may_be_repeat=False)


def test_killed_between_the_post_and_the_commit_it_is_sent_again_and_marked(
    slack, make_alert, start
):
    slack.answers.append(hang)
    make_alert()
    worker = start()
    while not slack.messages:
        assert worker.poll() is None
    worker.kill()
    worker.wait()
    assert Alert.objects.waiting().count() == 1
    Alert.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    assert finish(start()) == 1

    alert = Alert.objects.get()
    assert (alert.state, alert.may_be_repeat, alert.attempts) == ("sent", True, 2)
    assert ["may be a repeat" in text for text in slack.texts] == [False, True]


def test_asked_to_end_the_watcher_settles_what_it_has_in_hand(slack, make_alert, start):
    watcher = start("--watch", "--every", "60")

    def answer_after_the_signal(handler):
        watcher.send_signal(signal.SIGTERM)
        respond(200, "ok")(handler)

    slack.answers.append(answer_after_the_signal)
    for key in "12":
        make_alert(key)
    Alert.objects.update(next_attempt_at=timezone.now())

    assert finish(watcher) == 1
    assert sorted(alert.state for alert in Alert.objects.all()) == ["sent", "waiting"]


def test_the_watcher_ends_with_the_process_that_it_runs_beside(slack, start):
    watcher = start("--watch", "--every", "60", "--beside", "1")
    assert watcher.communicate(timeout=TIMEOUT_SECONDS) == ("", "")
    assert watcher.returncode == 0
