"""Which changes are written to the outbox: transitions, whatever path they came by."""

import socket
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oegen import audit
from oegen.alerts import outbox
from oegen.alerts.events import EVENTS
from oegen.alerts.mentions import usernames_in
from oegen.audit.changes import Changes
from oegen.models import Alert, AlertPreference, AlertRule, Comment
from pipelines.alerts import _was_overdue
from pipelines.choices import Outcome
from pipelines.models import Facility, Pipeline, Stage, Technology
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_information_point,
    make_pipeline,
    make_user,
)

pytestmark = pytest.mark.django_db

TODAY = date(2026, 6, 10)


@pytest.fixture(autouse=True)
def slack_only():
    AlertRule.objects.filter(channel="email").update(is_active=False)


@pytest.fixture
def new_alerts():
    """The alerts written since it was last asked, as (event, subject, old, new)."""
    seen = set()

    def new_alerts() -> list[tuple]:
        fresh = list(Alert.objects.exclude(pk__in=seen).order_by("pk"))
        seen.update(one.pk for one in fresh)
        return [
            (one.event, *(one.payload.get(name, "") for name in ("subject", "old", "new")))
            for one in fresh
        ]

    new_alerts()
    return new_alerts


@pytest.fixture
def larch(new_alerts):
    pipeline = make_pipeline("Larch", capacity_mw=40, technology="wind", rag_status="green")
    assert new_alerts() == [("pipeline-created", "Larch", "", "")]
    return pipeline


def stage(code: str) -> Stage:
    return Stage.objects.get(code=code)


def save(pipeline: Pipeline, **values) -> None:
    pipeline = Pipeline.objects.get(pk=pipeline.pk)
    for name, value in values.items():
        setattr(pipeline, name, value)
    pipeline.save()


def test_each_transition_of_a_pipeline_is_reported_once_with_old_and_new(larch, new_alerts):
    day = timezone.localdate() + timedelta(days=300)
    for values, expected in [
        ({"stage": stage("procurement")}, [("stage-moved", "Larch", "Design", "Procurement")]),
        ({"rag_status": "amber"}, [("rag-worsened", "Larch", "Green", "Amber")]),
        ({"rag_status": "red"}, [("rag-worsened", "Larch", "Amber", "Red")]),
        ({"rag_status": "green"}, [("rag-improved", "Larch", "Red", "Green")]),
        ({"rag_status": ""}, []),
        ({"rag_status": "amber"}, []),
        ({"rag_status": ""}, []),
        ({"rag_status": "red"}, [("rag-worsened", "Larch", "Not rated", "Red")]),
        ({"rtb_date": day}, []),
        ({"rtb_date": day + timedelta(days=30)}, []),
        ({"rtb_date": day}, []),
        ({"on_hold": True, "on_hold_reason": "Grid"}, [("put-on-hold", "Larch", "", "")]),
        ({"on_hold_reason": "Grid and planning"}, []),
        ({"on_hold": False, "on_hold_reason": ""}, [("taken-off-hold", "Larch", "", "")]),
        ({"outcome": "sold"}, [("withdrawn", "Larch", "Active", "Sold")]),
        ({"outcome": "active"}, []),
        (
            {"stage": stage("completed"), "rtb_date": None},
            [("completed", "Larch", "Procurement", "Completed")],
        ),
        ({"project_name": "Larch II"}, []),
    ]:
        save(larch, **values)
        assert new_alerts() == expected, values


def test_a_pipeline_that_is_added_as_red_is_reported_as_red(new_alerts):
    make_pipeline("Larch", rag_status="red")
    make_pipeline("Rowan", rag_status="amber")

    assert new_alerts() == [
        ("pipeline-created", "Larch", "", ""),
        ("rag-worsened", "Larch", "Not rated", "Red"),
        ("pipeline-created", "Rowan", "", ""),
    ]


def test_a_slip_counts_from_more_days_than_the_rule_says(larch, new_alerts):
    day = timezone.localdate() + timedelta(days=300)
    save(larch, rtb_date=day)
    save(larch, rtb_date=day + timedelta(days=31))
    ((event, _, _, new),) = new_alerts()
    assert (event, new.partition(", ")[2]) == ("rtb-slipped", "31 days later")


def test_what_goes_there_and_back_in_one_go_is_nothing(larch, new_alerts):
    with audit.change_set(reason="Second thoughts"):
        save(larch, rag_status="red", stage=stage("construction"))
        save(larch, rag_status="green", stage=stage("design"))
    assert new_alerts() == []
    with audit.change_set(reason="In two steps"):
        save(larch, rag_status="amber")
        save(larch, rag_status="red")
    assert new_alerts() == [("rag-worsened", "Larch", "Green", "Red")]


def test_every_path_of_writing_is_seen_and_what_is_taken_back_leaves_nothing(larch, new_alerts):
    Pipeline.objects.filter(pk=larch.pk).update(rag_status="amber")
    assert new_alerts() == [("rag-worsened", "Larch", "Green", "Amber")]
    fresh = Pipeline.objects.get(pk=larch.pk)
    fresh.rag_status = "red"
    Pipeline.objects.bulk_update([fresh], ["rag_status"])
    assert new_alerts() == [("rag-worsened", "Larch", "Amber", "Red")]
    with transaction.atomic():
        Pipeline.objects.bulk_create([Pipeline(project_name="New", stage=stage("design"))])
        assert new_alerts() == [("pipeline-created", "New", "", "")]
        transaction.set_rollback(True)
    assert not Alert.objects.filter(payload__subject="New").exists()
    larch.refresh_from_db()
    larch.delete()
    assert new_alerts() == []


def test_set_up_sample_and_back_dated_changes_say_nothing(new_alerts):
    for values in (
        {"source": audit.Source.SAMPLE},
        {"source": audit.Source.MIGRATION},
        {"recorded_at": timezone.now() - timedelta(days=400)},
    ):
        with audit.change_set(**values):
            make_pipeline()
    assert new_alerts() == []


def test_capacity_is_the_pipelines_own_by_revision_and_by_its_facilities(larch, new_alerts):
    facility = larch.facilities.get()
    facility.capacity_mw = 43
    facility.save()
    assert new_alerts() == []  # 7.5 %
    facility.capacity_mw = Decimal("21.5")
    facility.save()
    assert new_alerts() == [("capacity-changed", "Larch", "43.0 MW", "21.5 MW, −50%")]
    with audit.change_set():
        link = larch.facility_links.create(facility=make_facility(capacity_mw=21.5))
        Facility.objects.filter(pk=facility.pk).update(capacity_mw=0)
    assert new_alerts() == []  # 21.5 MW as before
    link.delete()
    assert new_alerts() == [("capacity-changed", "Larch", "21.5 MWp", "0 MWp, −100%")], "of solar"
    facility.refresh_from_db()
    facility.capacity_mw = 10
    facility.save()
    assert new_alerts() == []  # from nothing there is no percentage


def test_an_information_point_counts_when_it_reaches_the_rating(new_alerts):
    point = make_information_point("Prices", 70, 71)
    point.likelihood = 72
    point.save()
    assert [event for event, *_ in new_alerts()] == ["information-point-rated"]
    point.likelihood = 73
    point.save()
    assert new_alerts() == []


def test_filters_of_a_rule_know_technology_counterparty_and_country(larch, new_alerts):
    AlertRule.objects.update(is_active=False)
    lead = make_counterparty()
    wind = Technology.objects.get(code="wind")
    rule = AlertRule.objects.create(
        name="Only", code="only", event="rag-worsened", channel="slack", technology=wind
    )
    onshore = make_pipeline(
        "Onshore", technology="onshore-wind", capacity_mw=5, rag_status="green", lead_developer=lead
    )
    solar = make_pipeline("Solar", technology="solar", capacity_mw=5, rag_status="green")
    Facility.objects.filter(name="Solar").update(country="IE")

    def worsen_all() -> set[str]:
        pipelines = Pipeline.objects.filter(pk__in=[larch.pk, onshore.pk, solar.pk])
        pipelines.update(rag_status="red")
        names = {subject for _, subject, *_ in new_alerts()}
        pipelines.update(rag_status="green")
        return names

    assert worsen_all() == {"Larch", "Onshore"}
    AlertRule.objects.filter(pk=rule.pk).update(technology=None, counterparty=lead.pk)
    assert worsen_all() == {"Onshore"}
    AlertRule.objects.filter(pk=rule.pk).update(counterparty=None, country="IE")
    assert worsen_all() == {"Solar"}
    AlertRule.objects.filter(pk=rule.pk).update(is_active=False)
    assert worsen_all() == set()


def test_two_rules_that_let_it_through_make_one_alert(larch, new_alerts):
    AlertRule.objects.create(name="Too", code="too", event="rag-worsened", channel="slack")
    save(larch, rag_status="red")
    assert len(new_alerts()) == 1


def test_an_import_and_a_bulk_edit_make_one_summary(new_alerts):
    with audit.change_set(source=audit.Source.IMPORT, reason="March file"):
        one = make_pipeline("One", rag_status="green")
    (alert,) = Alert.objects.all()
    assert alert.event == "summary"
    assert alert.payload["why"] == "March file"
    assert alert.payload["groups"] == [
        {
            "event": "Pipeline created",
            "number": 1,
            "records": [{"name": "One", "url": one.get_absolute_url()}],
        }
    ]
    design = stage("design")
    Pipeline.objects.bulk_create(
        Pipeline(project_name=f"{number}", stage=design, rag_status="green")
        for number in range(outbox.MAX_MESSAGES)
    )
    assert [event for event, *_ in new_alerts()][1:] == ["pipeline-created"] * outbox.MAX_MESSAGES
    Pipeline.objects.update(rag_status="red", stage=stage("construction"))
    alert = Alert.objects.latest("pk")
    assert {group["event"]: group["number"] for group in alert.payload["groups"]} == {
        "RAG worsened": 11,
        "Stage moved": 11,
    }
    assert [event for event, *_ in new_alerts()] == ["summary"]


def test_queries_do_not_grow_with_the_rows_and_quiet_models_cost_none():
    def cost(write) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            write()
        return [one["sql"] for one in captured if 'FROM "oegen_alert' in one["sql"]]

    assert cost(lambda: make_counterparty()) == []
    stages = {code: stage(code) for code in ("design", "construction")}
    design = stages["design"]
    for number in (20, 400):
        rows = [Pipeline(project_name=f"{number}", stage=design) for _ in range(number)]
        Pipeline.objects.bulk_create(rows)
    counts = []
    for number in ("20", "400"):
        pipelines = Pipeline.objects.filter(project_name=number)
        with CaptureQueriesContext(connection) as captured, audit.change_set() as current:
            pipelines.update(stage=stages["construction"])
            before = len(captured)
            outbox.write_alerts(current, Changes(current))
            counts.append(len(captured) - before)
            Alert.objects.all().delete()
    assert counts[0] == counts[1] <= 14


def test_an_edit_that_makes_a_pipeline_overdue_is_reported_and_what_was_so_is_not(new_alerts):
    past = timezone.localdate() - timedelta(days=90)
    late = make_pipeline("Late", rtb_date=past)
    new_alerts()
    save(late, stage=stage("procurement"))
    assert [event for event, *_ in new_alerts()] == ["stage-moved"]
    save(late, rtb_date=timezone.localdate() + timedelta(days=1))
    new_alerts()
    save(late, rtb_date=past)
    assert [event for event, *_ in new_alerts()] == ["rtb-overdue"]


@pytest.mark.heavy
def test_before_a_change_overdue_means_what_the_queryset_means():
    stages = Stage.objects.in_bulk()
    days = [None, *(timezone.localdate() + timedelta(days=days) for days in (-1, 0, 1))]
    for one, on_hold, outcome, day in product(stages.values(), (True, False), Outcome.values, days):
        if on_hold and one.is_terminal:
            continue
        make_pipeline(stage=one.code, on_hold=on_hold, outcome=outcome, rtb_date=day)
    columns = ("pk", "stage_id", "on_hold", "outcome", "rtb_date")
    rows = list(Pipeline.objects.values(*columns))
    overdue = set(Pipeline.objects.overdue().values_list("pk", flat=True))
    assert overdue == {row["pk"] for row in rows if _was_overdue(row, stages)} != set()


def test_a_date_that_has_passed_is_told_once(new_alerts):
    design = make_pipeline("Passed", rtb_date=TODAY - timedelta(days=1))
    make_pipeline("Due", rtb_date=TODAY)
    make_pipeline("Long past", rtb_date=TODAY - timedelta(days=30))
    make_pipeline("Building", stage="construction", rtb_date=TODAY - timedelta(days=1))
    new_alerts()
    outbox.write_timed_alerts(TODAY)
    outbox.write_timed_alerts(TODAY)
    assert [(event, subject) for event, subject, *_ in new_alerts()] == [("rtb-overdue", "Passed")]
    outbox.write_timed_alerts(TODAY + timedelta(days=1))
    assert [(event, subject) for event, subject, *_ in new_alerts()] == [("rtb-overdue", "Due")]
    assert Alert.objects.filter(object_id=design.pk, event="rtb-overdue").count() == 1


def test_many_dates_that_pass_on_one_day_are_one_summary(new_alerts):
    Pipeline.objects.bulk_create(
        Pipeline(
            project_name=f"{number}", stage=stage("design"), rtb_date=TODAY - timedelta(days=1)
        )
        for number in range(outbox.MAX_MESSAGES + 1)
    )
    new_alerts()
    for _ in range(2):
        outbox.write_timed_alerts(TODAY)
    assert [event for event, *_ in new_alerts()] == ["summary"]


def test_a_rule_has_a_threshold_where_its_event_has_one():
    values = {"name": "One", "code": "one", "channel": "slack"}
    with pytest.raises(ValidationError, match="“RTB date slipped” needs a number of days"):
        AlertRule(event="rtb-slipped", **values).full_clean()
    with pytest.raises(ValidationError, match="“Completed” has no threshold: clear it"):
        AlertRule(event="completed", threshold=3, **values).full_clean()
    with pytest.raises(ValidationError, match="digest-week"):
        AlertRule(event="digest-week", **values).full_clean()
    AlertRule(event="completed", **values).full_clean()


def test_every_event_is_seeded_for_both_channels():
    known = {code for code, event in EVENTS.items() if not event.is_digest}
    for channel in ("slack", "email"):
        seeded = AlertRule.objects.filter(channel=channel)
        assert {rule.event for rule in seeded} == known
        for rule in seeded:
            rule.full_clean()


def test_saving_reaches_for_nobody(larch, client, portfolio_manager, settings, monkeypatch):
    """So it takes no longer while Slack can't be reached."""
    settings.SLACK_WEBHOOK_URL, settings.SENDS_EMAIL = "https://hooks.slack.com/x", True
    reached = []
    monkeypatch.setattr(socket.socket, "connect", lambda *args: reached.append(args))
    client.force_login(portfolio_manager)
    answer = client.post(
        f"/pipelines/{larch.pk}/move/",
        {
            "version": larch.version,
            "to": "procurement",
            "effective_on": timezone.localdate().isoformat(),
            "reason": "Tender is out",
        },
    )
    assert answer.status_code == 201
    assert Alert.objects.filter(event="stage-moved", payload__why="Tender is out").exists()
    assert reached == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ask @priya, please.", {"priya"}),
        ("@Priya.Shah: and (@morgan)?", {"priya.shah", "morgan"}),
        ("Write to priya@larch.example", set()),
        ("See https://blog.example/@priya and x/@morgan", set()),
        ("@", set()),
    ],
)
def test_usernames_are_read_as_people_write_them(text, names):
    assert usernames_in(text) == names


def test_a_mention_goes_by_email_to_that_person_only_unless_they_said_no(larch, new_alerts):
    AlertRule.objects.filter(event="mentioned").update(is_active=True)
    ada, priya = (make_user(None, name, email=f"{name}@oegen.example") for name in ("ada", "priya"))
    make_user(None, "nomail")
    text = "@ada @priya @nomail @nobody have a look"
    comment = Comment.objects.create(subject=larch, author=ada, text=text)
    alerts = list(Alert.objects.filter(event="mentioned"))
    assert {(one.channel, one.recipient) for one in alerts} == {("slack", None), ("email", priya)}
    assert {one.payload["note"] for one in alerts} == {text}
    assert {one.payload["subject"] for one in alerts} == {"Larch"}
    new_alerts()
    comment.text = "@ada @priya @nomail do have a look"
    comment.save()
    assert new_alerts() == []
    AlertPreference.objects.create(user=priya, event="mentioned", is_wanted=False)
    Comment.objects.create(subject=larch, author=ada, text="@priya?")
    assert [one.channel for one in Alert.objects.order_by("pk")][-1] == "slack"


def test_a_mention_on_a_facility_can_be_filtered_and_says_what_it_is(new_alerts):
    rule = AlertRule.objects.get(code="slack-mentioned")
    wind = Technology.objects.get(code="wind")
    AlertRule.objects.filter(pk=rule.pk).update(is_active=True, technology=wind.pk, country="IE")
    make_user(None, "priya")
    farm = make_facility("Farm", "onshore-wind", capacity_mw=12, country="IE")
    for subject in (farm, make_facility("Field", "solar", country="IE"), make_counterparty()):
        Comment.objects.create(subject=subject, text="@priya?")
    (alert,) = Alert.objects.filter(event="mentioned")
    told_of = ("subject", "noun", "technology", "capacity")
    assert [alert.payload[name] for name in told_of] == [
        "Farm",
        "facility",
        "Onshore wind",
        "12.0 MW",
    ]


def test_email_goes_to_those_who_chose_the_event_but_not_to_who_did_it(larch):
    AlertRule.objects.filter(event="rag-worsened").update(is_active=True)
    people = [make_user(None, name, email=f"{name}@oegen.example") for name in ("a", "b", "c")]
    for person in people[:2]:
        AlertPreference.objects.create(user=person, event="rag-worsened", is_wanted=True)
    with audit.change_set(person=people[0]):
        save(larch, rag_status="red")
    mailed = Alert.objects.filter(channel="email")
    assert [one.recipient for one in mailed] == [people[1]]
