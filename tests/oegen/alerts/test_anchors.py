"""Anchors are made every hour by a job, signed, and find what was written anew."""

import json
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from oegen.alerts import anchors, slack
from oegen.alerts.anchors import Anchor
from oegen.alerts.channels import SendError
from oegen.jobs.models import Job, State
from oegen.models import KeptAnchor
from tests.support.builders import make_facility, make_security_event
from tests.support.jobs import run_due_jobs, run_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.ANCHOR_DIR = tmp_path / "anchors"
    settings.ANCHOR_KEY = ""


def files(settings) -> list:
    return sorted(settings.ANCHOR_DIR.glob("*.json"))


def test_one_anchor_an_hour_whoever_asks(settings):
    make_facility()
    now = timezone.now().replace(minute=10)
    kept = anchors.write_if_due(now)
    assert anchors.write_if_due(now) is None
    assert anchors.write_if_due(now + timedelta(minutes=30)) is None
    (file,) = files(settings)
    assert (kept.file, file.stat().st_mode & 0o777) == (str(file), 0o600)
    assert list(Anchor.read(file).findings()) == []
    assert anchors.write_if_due(now + timedelta(hours=1))
    assert len(files(settings)) == 2


def test_a_folder_that_can_not_be_written_is_reported_and_tried_again(settings):
    settings.ANCHOR_DIR.write_text("no folder")
    job = run_job("anchor")
    assert job.state == State.WAITING
    assert "can't be written" in job.error
    assert KeptAnchor.objects.get().problem == job.error
    settings.ANCHOR_DIR.unlink()
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    run_due_jobs()
    job.refresh_from_db()
    assert (job.state, job.error) == (State.DONE, "")
    assert re.fullmatch(r"Change set [\d,]+ is anchored\.", job.message)
    assert run_job("anchor").message == "The anchor of this hour was made before."


def test_it_is_sent_where_set_and_a_failure_is_reported(settings, monkeypatch):
    posted = []
    settings.ANCHOR_EMAIL = ["auditor@example.com"]
    settings.ANCHOR_SLACK_WEBHOOK_URL = "https://hooks.example.com/x"
    monkeypatch.setattr(slack, "post", lambda *given: posted.append(given))
    first = anchors.write_if_due()
    (message,) = mail.outbox
    assert json.loads(message.body)["seal"] == first.seal
    assert first.seal in posted[0][1]["text"]

    def refuse(*given):
        raise SendError("Slack answered 404.")

    monkeypatch.setattr(slack, "post", refuse)
    second = anchors.write_if_due(timezone.now() + timedelta(hours=1))
    assert second.problem == "Slack: Slack answered 404."


def test_the_signature_and_both_chains_are_checked(settings, tmp_path):
    make_facility()
    make_security_event()
    facts = Anchor.newest().signed()
    path = tmp_path / "anchor"

    def found(**other) -> list[str]:
        anchors.write(facts | other, path)
        return [str(finding) for finding in Anchor.read(path).findings()]

    assert found() == []
    assert found(made_at="2020-01-01") == ["The anchor: its signature does not fit what it says"]
    assert "it is signed with another key" in found(public_key="x")[0]
    assert (
        "the record of security events up to here was written anew"
        in found(security_seal="0" * 64)[0]
    )
    assert "the end of the record of security events was removed" in found(security_event=99)[0]
    assert "the history up to here was written anew" in found(seal="0" * 64)[0]


def test_the_key_is_made_once_and_private(settings):
    first = anchors.encoded(anchors.signing_key().public_key())
    assert anchors.encoded(anchors.signing_key().public_key()) == first
    assert (settings.VAR_DIR / "anchor-key").stat().st_mode & 0o777 == 0o600
    settings.ANCHOR_KEY = (settings.VAR_DIR / "anchor-key").read_text()
    (settings.VAR_DIR / "anchor-key").unlink()
    assert anchors.encoded(anchors.signing_key().public_key()) == first
    settings.ANCHOR_KEY = "no key"
    with pytest.raises(anchors.AnchorError, match="ANCHOR_KEY is no key"):
        anchors.signing_key()


def test_healthz_says_when_the_last_was_made(client):
    assert "anchor: none made yet" in client.get("/healthz").text
    kept = anchors.write_if_due()
    assert (
        f"anchor: the last was made at {kept.made_at:%Y-%m-%d %H:%M} UTC"
        in client.get("/healthz").text
    )
    KeptAnchor.objects.update(made_at=timezone.now() - timedelta(hours=3))
    assert "anchor: late, the last was made" in client.get("/healthz").text


def test_the_audit_page_says_it_too(client, manager):
    client.force_login(manager)
    assert "No anchor has been made yet" in client.get("/audit/").text
    anchors.write_if_due()
    assert "Last anchor" in client.get("/audit/").text
