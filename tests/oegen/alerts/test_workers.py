"""Workers that send alerts, as processes: two at once, one that is killed, one asked to end."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from oegen import jobs
from oegen.jobs.models import Job
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
        command = [sys.executable, "-m", "django", "work", *options]
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


def finish(worker: subprocess.Popen) -> None:
    """Wait until it is done; fails if it failed."""
    _, errors = worker.communicate(timeout=TIMEOUT_SECONDS)
    assert worker.returncode == 0, errors


def wait_until(condition) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, "It did not come to that."
        time.sleep(0.02)


def test_of_two_workers_one_sends_each_of_a_thousand_alerts_once(slack, make_alert, start):
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
    for _ in range(3):
        jobs.enqueue("send-alerts")
    workers = [start("--every", "0.05"), start("--every", "0.05")]
    wait_until(lambda: not Alert.objects.waiting().exists())
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
        finish(worker)
    assert set(Counter(slack.texts).values()) == {1}
    assert len(slack.texts) == 1000
    assert not Alert.objects.exclude(sent_at__isnull=False, attempts=1, may_be_repeat=False)


def test_killed_between_the_post_and_the_commit_it_is_sent_again_and_marked(
    slack, make_alert, start
):
    slack.answers.append(hang)
    make_alert()
    jobs.enqueue("send-alerts")
    worker = start("--once")
    while not slack.messages:
        assert worker.poll() is None
    worker.kill()
    worker.wait()
    assert Alert.objects.waiting().count() == 1
    over = timezone.now() - timedelta(seconds=1)
    Alert.objects.update(claimed_until=over)
    Job.objects.running().update(leased_until=over)

    finish(start("--once"))

    alert = Alert.objects.get()
    assert (alert.state, alert.may_be_repeat, alert.attempts) == ("sent", True, 2)
    assert ["may be a repeat" in text for text in slack.texts] == [False, True]


def test_asked_to_end_it_settles_what_it_has_in_hand_and_leaves_the_rest_to_others(
    slack, make_alert, start
):
    worker = start("--every", "0.05")

    def answer_after_the_signal(handler):
        worker.send_signal(signal.SIGTERM)
        # The worker's main thread takes the signal, while another one waits for this answer.
        time.sleep(1)
        respond(200, "ok")(handler)

    slack.answers.append(answer_after_the_signal)
    for key in "12":
        make_alert(key)
    Alert.objects.update(next_attempt_at=timezone.now())
    jobs.enqueue("send-alerts")

    finish(worker)
    assert sorted(alert.state for alert in Alert.objects.all()) == ["sent", "waiting"]
    assert Job.objects.waiting().filter(kind="send-alerts").exists()
    finish(start("--once"))
    assert {alert.state for alert in Alert.objects.all()} == {"sent"}
