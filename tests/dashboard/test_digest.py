"""Digests of a day or a week, sent once, and not if nothing happened."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from dashboard.digest import PERIODS, digest_of
from oegen import audit
from oegen.core import clock
from oegen.models import Alert, AlertPreference
from pipelines.models import Pipeline, Stage
from tests.support.builders import make_pipeline, make_user
from tests.support.jobs import run_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def ago(today):
    """Open a change set of a person at noon, some days ago."""

    def ago(days: int, reason: str = "", person=None):
        noon = clock.end_of(today - timedelta(days=days)) - timedelta(hours=12)
        return audit.change_set(recorded_at=noon, reason=reason, person=person)

    return ago


@pytest.fixture
def week(ago, today):
    """Create three pipelines a month ago, and changes in the last week."""
    person = make_user(first_name="Priya", last_name="Shah")
    with ago(100):
        late = make_pipeline("Late", capacity_mw=40, rtb_date=today - timedelta(days=3))
        slips = make_pipeline("Slips", capacity_mw=10, rtb_date=today + timedelta(days=50))
        make_pipeline(
            "Rated <long> ago",
            rag_status="green",
            rag_confirmed_at=timezone.now() - timedelta(days=100),
        )
    with ago(4, "The grid is late", person):
        slips = Pipeline.objects.get(pk=slips.pk)
        slips.rtb_date += timedelta(days=61)
        slips.save()
    with ago(2, "Signed", person):
        make_pipeline("Brand new", capacity_mw=25)
    return late


def part(digest: dict, title: str) -> tuple[int, list[str]]:
    (found,) = [one for one in digest["parts"] if one["title"].startswith(title)]
    return found["number"], [f"{line['name']}: {line['text']}" for line in found["lines"]]


def test_it_tells_what_changed_slipped_is_overdue_and_nobody_confirmed(week, today):
    digest = digest_of(PERIODS["week"], today - timedelta(days=1))

    number, lines = part(digest, "Changes")
    assert number == 2
    assert lines[0].startswith("Brand new: added as a ")
    assert lines[0].endswith(" and 2 more (Priya Shah): Signed")
    assert "61 days later (Priya Shah): The grid is late" in lines[1]
    assert part(digest, "RTB dates that slipped")[0] == 1
    assert part(digest, "RTB dates that slipped")[1][0].endswith("61 days later")
    number, lines = part(digest, "Needs attention")
    assert number == 4
    assert lines[0] == "Late: Overdue, Not rated"
    number, lines = part(digest, "RTB date overdue")
    assert (number, lines[0].startswith("Late: since ")) == (1, True)
    number, lines = part(digest, "RAG that nobody confirmed")
    assert number == 4
    assert any(line.startswith("Rated <long> ago: since ") for line in lines)
    assert digest["sentence"] == "The open pipeline is 75.0 MWp: up 25.0 MWp."
    assert {"label": "New", "change": "+25.0"} in digest["steps"]
    assert "2 changes, 1 slipped, 4 need attention, 1 overdue, 4 not confirmed" in digest["title"]


def test_where_nothing_happened_there_is_nothing(ago, today):
    with ago(30):
        make_pipeline("Quiet", rtb_date=today - timedelta(days=60))
    yesterday = today - timedelta(days=1)
    assert digest_of(PERIODS["week"], yesterday) is None
    with ago(0):
        make_pipeline("Today's are of tomorrow's digest")
    assert digest_of(PERIODS["day"], yesterday) is None
    with ago(20):
        make_pipeline("Passes", rtb_date=yesterday - timedelta(days=1))
    assert part(digest_of(PERIODS["day"], yesterday), "RTB date overdue")[0] == 2


def test_it_is_sent_once_to_slack_and_to_those_who_chose_it(week, slack, settings):
    settings.SENDS_EMAIL = True
    wanting, other = (make_user(None, name, email=f"{name}@x.example") for name in ("a", "b"))
    AlertPreference.objects.create(user=wanting, event="digest-week", is_wanted=True)
    AlertPreference.objects.create(user=other, event="digest-day", is_wanted=True)
    Alert.objects.all().delete()

    messages = [run_job("digest-week").message for _ in range(2)]

    assert messages == [
        "2 digests written.",
        "No new digest: this one was written before, for 2 receivers.",
    ]
    assert [one.to for one in mail.outbox] == [["a@x.example"]]
    (sent,) = mail.outbox
    html = sent.alternatives[0][0]
    for text in (sent.body, html):
        assert "The open pipeline is 75.0 MWp: up 25.0 MWp" in text
        assert "Weekly digest" in text
        assert "/unsubscribe/" in text
    assert "Rated &lt;long&gt; ago" in html
    assert "Rated <long> ago" in sent.body
    (message,) = slack.messages
    words = str(message["blocks"])
    assert "*RTB date overdue: 1*" in words
    assert "Rated &lt;long&gt; ago" in words
    assert all(len(block.get("text", {}).get("text", "")) <= 3000 for block in message["blocks"])


def test_a_digest_of_one_s_own_projects_and_links_to_them(week, ago, settings):
    settings.SENDS_EMAIL = True
    own, none = (make_user(None, name, email=f"{name}@x.example") for name in ("a", "b"))
    for person in (own, none):
        AlertPreference.objects.create(
            user=person, event="digest-week", is_wanted=True, only_mine=True
        )
    with ago(1):
        Pipeline.objects.filter(project_name__in=["Slips", "Late"]).update(responsible=own)

    run_job("digest-week")

    digest = Alert.objects.get(recipient=own).payload
    assert digest["sentence"] == "Your open pipeline is 50.0 MWp: as before."
    number, lines = part(digest, "Changes")
    assert number == 1
    assert lines[0].startswith("Slips: slipped by 61 days")
    assert lines[0].endswith("(Priya Shah): The grid is late")
    assert part(digest, "RTB dates that slipped")[0] == 1
    assert part(digest, "RAG that nobody confirmed")[0] == 2
    for one in digest["parts"]:
        assert "responsible=~me" in one["url"]
    assert digest["url"] == "/?responsible=~me"

    nothing = Alert.objects.get(recipient=none).payload
    assert nothing["sentence"].startswith("You are responsible for no project")
    by_address = {one.to[0]: one for one in mail.outbox}
    assert "You are responsible for no project" in by_address["b@x.example"].body
    assert "/me/alerts/" in by_address["b@x.example"].body


def test_who_chose_so_gets_the_weekly_digest_with_a_written_brief(week, ago, settings, client):
    settings.SENDS_EMAIL = True
    plain, briefed, own = (make_user(None, name, email=f"{name}@x.example") for name in "abc")
    AlertPreference.objects.create(user=plain, event="digest-week", is_wanted=True)
    client.force_login(briefed)
    client.post("/me/alerts/", {"event": "digest-week", "with_brief": "digest-week"})
    AlertPreference.objects.create(
        user=own, event="digest-week", is_wanted=True, only_mine=True, with_brief=True
    )
    with ago(1):
        Pipeline.objects.filter(project_name="Slips").update(responsible=own)

    run_job("digest-week")

    assert "brief" not in Alert.objects.get(recipient=plain).payload
    by_address = {one.to[0]: one for one in mail.outbox}
    body = by_address["b@x.example"].body
    assert "- Open capacity is 75.0 MWp; since" in body
    assert "rose by 25.0 MWp." in body
    html = by_address["b@x.example"].alternatives[0][0]
    assert "&amp;as_of=" in html
    assert ">75.0 MWp</bdi></a>" in html
    assert "- Open capacity is 10.0 MWp; since" in by_address["c@x.example"].body


def test_the_job_says_why_nobody_got_it(week, slack, settings):
    def result() -> str:
        return run_job("digest-week").message

    Alert.objects.all().delete()
    webhook, settings.SLACK_WEBHOOK_URL, settings.SENDS_EMAIL = (
        settings.SLACK_WEBHOOK_URL,
        "",
        False,
    )
    assert result() == "No new digest: neither Slack nor e-mail is set up."
    settings.SENDS_EMAIL = True
    assert result() == (
        "No new digest: Slack is not set up, and nobody who can be mailed has ticked “Weekly "
        "digest” on their page “E-mail alerts”."
    )
    assert not Alert.objects.exists(), "kept for a channel that is not set up"
    settings.SLACK_WEBHOOK_URL = webhook
    assert result() == "1 digest written."
    assert result() == "No new digest: this one was written before, for 1 receiver."
    assert len(slack.messages) == 1


def test_a_long_import_is_one_line_of_a_digest(ago, today):
    with ago(1, "March file"):
        Pipeline.objects.bulk_create(
            Pipeline(project_name=f"{number}", stage=Stage.objects.get(code="design"))
            for number in range(40)
        )
    number, lines = part(digest_of(PERIODS["day"], today - timedelta(days=1)), "Changes")
    assert number == 1
    assert lines[0].startswith("Program code: 40 pipelines")
