"""Every rule that can be one is a constraint: raw writes, past all Python, are refused."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from counterparties.models import ContactRole, CounterpartyContact
from infopoints.models import InformationPoint, InformationPointTechnology
from oegen import audit, jobs
from oegen.audit import day_rules
from oegen.models import (
    Acknowledgement,
    Alert,
    AlertRule,
    ExternalReference,
    Job,
    Schedule,
    Webhook,
    WebhookDelivery,
)
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Gate,
    GateSet,
    Milestone,
    MilestoneKind,
    Pipeline,
    PipelineCounterparty,
    PipelineFacility,
    Stage,
    StageTransition,
    Technology,
)
from pipelines.reference import RTB_ID
from pipelines.registers.models import Edition, Match, MatchState, Register
from tests.support.builders import (
    make_contact,
    make_counterparty,
    make_edition,
    make_facility,
    make_information_point,
    make_milestone,
    make_pipeline,
    make_user,
    make_webhook,
)

pytestmark = pytest.mark.django_db


def raw_update(record, **values):
    """UPDATE by SQL: no model code, no signals."""
    fields = record._meta
    with connection.cursor() as cursor:
        for name, value in values.items():
            column = fields.get_field(name).column
            prepared = fields.get_field(name).get_db_prep_save(value, connection)
            key = fields.pk.get_db_prep_value(record.pk, connection)
            cursor.execute(
                f'UPDATE "{fields.db_table}" SET "{column}" = %s WHERE id = %s',  # noqa: S608
                [prepared, key],
            )


def raw_insert(instance):
    """INSERT through a plain queryset: no model code but the fields' own."""
    models.QuerySet(type(instance)).bulk_create([instance])


class refused:
    """Expects an IntegrityError; on PostgreSQL, which names it, of this very rule."""

    def __init__(self, constraint: str):
        self.constraint = constraint

    def __enter__(self):
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, kind, error, trace):
        self.atomic.__exit__(kind, error, trace)
        assert error is not None, f"{self.constraint} let it pass"
        if not isinstance(error, IntegrityError):
            return False
        if connection.vendor == "postgresql":
            assert self.constraint in str(error) or self.constraint in str(
                getattr(error.__cause__.diag, "constraint_name", "")
            )
        return True


def a_rule() -> AlertRule:
    return AlertRule.objects.get(code="slack-rtb-slipped")


def an_alert() -> Alert:
    return Alert.objects.create(
        unique_key="1", event="completed", channel="slack", payload={}, sent_at=timezone.now()
    )


def a_schedule() -> Schedule:
    return Schedule.objects.get(code="tidy")


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_job(**values) -> Job:
    return jobs.enqueue("tidy", **values)


def a_running_job(key: str) -> Job:
    job = a_job(key=key)
    job.state, job.leased_to, job.leased_until = "running", uuid4(), NOON
    job.save()
    return job


def a_webhook() -> Webhook:
    return make_webhook(make_user("Portfolio managers"))[0]


def a_delivery(**values) -> WebhookDelivery:
    return WebhookDelivery.objects.create(webhook=a_webhook(), type="webhook.test", **values)


#: constraint -> (builder, field, wrong value)
WRONG_VALUES = {
    "counterparty_name_present": (make_counterparty, "name", "  "),
    "counterparty_country_shape": (make_counterparty, "country", "gb"),
    "contact_name_present": (make_contact, "name", ""),
    "facility_name_present": (make_facility, "name", ""),
    "facility_capacity_mw_range": (make_facility, "capacity_mw", Decimal(-1)),
    "facility_storage_mwh_range": (
        lambda: make_facility(technology="bess"),
        "storage_mwh",
        Decimal(-1),
    ),
    "facility_export_limit_mw_range": (make_facility, "export_limit_mw", Decimal("-0.5")),
    "facility_latitude_range": (
        lambda: make_facility(latitude=1, longitude=1),
        "latitude",
        Decimal(999),
    ),
    "facility_longitude_range": (
        lambda: make_facility(latitude=1, longitude=1),
        "longitude",
        Decimal(-181),
    ),
    "facility_coordinates_paired": (make_facility, "latitude", Decimal(51)),
    "facility_country_shape": (make_facility, "country", "G"),
    "facility_storage_on_storage_only": (
        lambda: make_facility(technology="wind"),
        "storage_mwh",
        Decimal(10),
    ),
    "pipeline_project_name_present": (make_pipeline, "project_name", " "),
    "pipeline_outcome_known": (make_pipeline, "outcome", "lost"),
    "pipeline_rag_status_known": (make_pipeline, "rag_status", "blue"),
    "pipeline_ownership_pct_range": (make_pipeline, "ownership_pct", Decimal(101)),
    "pipeline_probability_pct_range": (
        lambda: make_pipeline(probability_reason="x"),
        "probability_pct",
        Decimal(-1),
    ),
    "pipeline_probability_explained": (make_pipeline, "probability_pct", Decimal(50)),
    "pipeline_next_step_described": (make_pipeline, "next_step_on", "2030-01-01"),
    "milestone_day_on_the_pipeline": (
        lambda: make_milestone(kind="rtb"),
        "forecast_on",
        "2027-01-01",
    ),
    "milestone_actual_by_its_day": (make_milestone, "is_actual", True),
    "gate_before_rtb": (lambda: Gate.objects.first(), "kind_id", RTB_ID),
    "gateset_country_shape": (lambda: GateSet.objects.first(), "country", "g"),
    "pipeline_hold_reason_only_on_hold": (make_pipeline, "on_hold_reason", "why"),
    "pipeline_completed_not_on_hold": (
        lambda: make_pipeline(stage="completed"),
        "on_hold",
        True,
    ),
    "stage_end_without_holds": (
        lambda: make_pipeline(stage="design", on_hold=True).stage,
        "is_terminal",
        True,
    ),
    "pipeline_rtb_before_cod": (
        lambda: make_pipeline(rtb_date="2027-05-01"),
        "cod_date",
        "2027-04-30",
    ),
    "informationpoint_title_present": (make_information_point, "title", ""),
    "informationpoint_impact_range": (make_information_point, "impact", 0),
    "informationpoint_likelihood_range": (make_information_point, "likelihood", 101),
    "informationpoint_status_known": (make_information_point, "status", "shut"),
    "technology_capacity_basis_known": (
        lambda: Technology.objects.get(code="solar"),
        "capacity_basis",
        "xx",
    ),
    "technology_name_unique": (lambda: Technology.objects.get(code="solar"), "name", "WIND "),
    "technology_code_unique": (lambda: Technology.objects.get(code="solar"), "code", "Wind"),
    "milestonekind_name_unique": (lambda: MilestoneKind.objects.first(), "name", "rtb"),
    "milestonekind_code_unique": (lambda: MilestoneKind.objects.first(), "code", "RTB"),
    "gateset_name_unique": (lambda: GateSet.objects.get(code="wind"), "name", "any project"),
    "gateset_code_unique": (lambda: GateSet.objects.get(code="wind"), "code", "Any-project"),
    "stage_name_unique": (lambda: Stage.objects.get(code="design"), "name", "discovery"),
    "stage_code_unique": (lambda: Stage.objects.get(code="design"), "code", "discovery"),
    "stage_order_unique": (lambda: Stage.objects.get(code="design"), "order", 10),
    "stage_ends_come_last": (lambda: Stage.objects.get(code="design"), "order", 65),
    "stage_default_probability_pct_range": (
        lambda: Stage.objects.get(code="design"),
        "default_probability_pct",
        Decimal(101),
    ),
    "contactrole_name_unique": (lambda: ContactRole.objects.get(code="ceo"), "name", "deal LEAD"),
    "contactrole_code_unique": (lambda: ContactRole.objects.get(code="ceo"), "code", "deal-lead"),
    "counterpartyrole_name_unique": (
        lambda: CounterpartyRole.objects.get(code="epc"),
        "name",
        "owner",
    ),
    "counterpartyrole_code_unique": (
        lambda: CounterpartyRole.objects.get(code="epc"),
        "code",
        "owner",
    ),
    "alertrule_name_unique": (a_rule, "name", "completed, BY Slack"),
    "alertrule_code_unique": (a_rule, "code", "slack-completed"),
    "alertrule_channel_known": (a_rule, "channel", "pigeon"),
    "alertrule_threshold_range": (a_rule, "threshold", Decimal(-1)),
    "alertrule_country_shape": (a_rule, "country", "gb"),
    "register_name_unique": (
        lambda: Register.objects.get(code="tec"),
        "name",
        "renewable energy PLANNING database",
    ),
    "register_code_unique": (lambda: Register.objects.get(code="tec"), "code", "Repd"),
    "register_country_shape": (lambda: Register.objects.get(code="tec"), "country", "gb"),
    "schedule_name_unique": (a_schedule, "name", "DAILY digest"),
    "schedule_code_unique": (a_schedule, "code", "digest-DAY"),
    "schedule_frequency_known": (a_schedule, "frequency", "year"),
    "schedule_interval_known": (a_schedule, "interval", 7),
    "schedule_weekday_known": (lambda: Schedule.objects.get(code="digest-week"), "weekday", 7),
    "schedule_month_day_in_range": (
        lambda: Schedule.objects.create(
            name="M", code="m", kind="tidy", frequency="month", month_day=1, at="07:00"
        ),
        "month_day",
        31,
    ),
    "schedule_times_of_frequency": (a_schedule, "at", "07:00"),
    "job_state_known": (a_job, "state", "lost"),
    "job_key_runs_once": (lambda: [a_running_job("a"), a_running_job("b")][1], "key", "a"),
    "job_scheduled_once": (
        lambda: [a_job(schedule=a_schedule(), scheduled_for=NOON), a_job(schedule=a_schedule())][1],
        "scheduled_for",
        NOON,
    ),
    "job_running_is_leased": (a_job, "leased_until", NOON),
    "job_ended_has_time": (a_job, "ended_at", NOON),
    "alert_channel_known": (an_alert, "channel", "pigeon"),
    "alert_recipient_of_email": (an_alert, "channel", "email"),
    "alert_sent_or_parked": (an_alert, "parked_at", timezone.now()),
    "webhook_name_present": (a_webhook, "name", " "),
    "webhook_url_is_https": (a_webhook, "url", "http://receiver.example/"),
    "webhook_events_present": (a_webhook, "events", ""),
    "webhook_previous_secret_ends": (a_webhook, "previous_secret", "x"),
    "webhook_switched_off_why": (a_webhook, "switched_off_at", NOON),
    "webhookdelivery_type_known": (a_delivery, "type", "pigeon"),
    "webhookdelivery_sent_or_parked": (lambda: a_delivery(sent_at=NOON), "parked_at", NOON),
    "stagetransition_outcome_known": (
        lambda: make_pipeline().transitions.get(),
        "outcome",
        "lost",
    ),
}


@pytest.mark.parametrize("constraint", WRONG_VALUES)
def test_a_raw_write_of_a_wrong_value_is_refused(constraint):
    build, field, value = WRONG_VALUES[constraint]
    record = build()
    with refused(constraint):
        raw_update(record, **{field: value})


def test_one_lead_developer_a_pipeline():
    pipeline = make_pipeline(lead_developer=make_counterparty())
    role = CounterpartyRole.objects.get(code="lead-developer")
    with refused("pipelinecounterparty_one_lead_developer"):
        raw_insert(
            PipelineCounterparty(pipeline=pipeline, counterparty=make_counterparty(), role=role)
        )


def test_one_row_a_pipeline_counterparty_and_role():
    pipeline, acme = make_pipeline(), make_counterparty()
    row = {
        "pipeline": pipeline,
        "counterparty": acme,
        "role": CounterpartyRole.objects.get(code="epc"),
    }
    raw_insert(PipelineCounterparty(**row))
    with refused("pipelinecounterparty_unique"):
        raw_insert(PipelineCounterparty(**row))


def test_a_share_is_a_percentage():
    pipeline = make_pipeline(lead_developer=make_counterparty())
    with refused("pipelinecounterparty_share_pct_range"):
        raw_update(pipeline.counterparty_links.get(), share_pct=Decimal("100.5"))


def test_one_row_a_pipeline_and_facility():
    pipeline = make_pipeline(capacity_mw=1)
    with refused("pipelinefacility_unique"):
        raw_insert(PipelineFacility(pipeline=pipeline, facility=pipeline.facilities.get()))


def test_one_record_a_source_and_key():
    first, second = make_pipeline(), make_pipeline()
    raw_insert(ExternalReference(source="REPD", key="154", record=first))
    with refused("externalreference_unique"):
        raw_insert(ExternalReference(source="REPD", key="154", record=second))


def test_one_edition_a_day_and_one_decision_a_pair():
    edition, *_, project, _, company, match = make_edition(make_pipeline())[1:]
    with refused("edition_unique"):
        raw_insert(Edition(register=edition.register, date=edition.date))
    pair = {"record": match.record, "state": MatchState.REFUSED}
    with refused("match_project_unique"):
        raw_insert(Match(project=project, **pair))
    raw_insert(Match(company=company, **pair))
    with refused("match_company_unique"):
        raw_insert(Match(company=company, **pair))
    for source in ({}, {"project": project, "company": company}):
        with refused("match_one_source"):
            raw_insert(Match(**source, **{**pair, "record": make_pipeline()}))
    with refused("match_state_known"):
        raw_update(match, state="perhaps")


def test_one_milestone_of_a_kind_one_gate_of_a_set_and_one_set_of_a_place():
    milestone = make_milestone()
    with refused("milestone_unique"):
        raw_insert(Milestone(pipeline=milestone.pipeline, kind=milestone.kind))
    gate = Gate.objects.first()
    with refused("gate_unique"):
        raw_insert(Gate(gate_set=gate.gate_set, kind=gate.kind))
    wind = Technology.objects.get(code="wind")
    with refused("gateset_technology_country_unique"):
        raw_insert(GateSet(code="a", name="A", technology=wind))
    with refused("gateset_any_technology_unique"):
        raw_insert(GateSet(code="a", name="A"))


def test_one_row_a_counterparty_contact_and_role():
    row = {
        "counterparty": make_counterparty(),
        "contact": make_contact(),
        "role": ContactRole.objects.get(code="ceo"),
    }
    raw_insert(CounterpartyContact(**row))
    with refused("counterpartycontact_unique"):
        raw_insert(CounterpartyContact(**row))


def test_a_contact_role_does_not_end_before_it_begins():
    with refused("counterpartycontact_period"):
        raw_insert(
            CounterpartyContact(
                counterparty=make_counterparty(),
                contact=make_contact(),
                role=ContactRole.objects.get(code="ceo"),
                valid_from="2026-02-01",
                valid_until="2026-01-31",
            )
        )


def test_one_row_an_information_point_and_what_it_concerns():
    from infopoints.models import InformationPointCounterparty, InformationPointPipeline

    point = make_information_point()
    for constraint, model, field, target in [
        (
            "informationpointtechnology_unique",
            InformationPointTechnology,
            "technology",
            Technology.objects.get(code="solar"),
        ),
        (
            "informationpointcounterparty_unique",
            InformationPointCounterparty,
            "counterparty",
            make_counterparty(),
        ),
        ("informationpointpipeline_unique", InformationPointPipeline, "pipeline", make_pipeline()),
    ]:
        raw_insert(model(information_point=point, **{field: target}))
        with refused(constraint):
            raw_insert(model(information_point=point, **{field: target}))


def test_a_comment_has_a_text():
    from oegen.models import Comment

    comment = Comment.objects.create(subject=make_pipeline(), text="x")
    with refused("comment_text_present"):
        raw_update(comment, text=" ")


def test_a_technology_in_use_for_storage_stays_a_storage_technology():
    make_facility(technology="bess", storage_mwh=10)
    with refused("technology_storage_in_use"):
        raw_update(Technology.objects.get(code="bess"), is_storage=False)


def test_storage_on_a_new_wind_farm_is_refused():
    with refused("facility_storage_on_storage_only"):
        raw_insert(
            Facility(
                name="x",
                technology=Technology.objects.get(code="wind"),
                storage_mwh=Decimal(4),
            )
        )


def test_a_finding_is_acknowledged_once():
    values = {"fingerprint": "0" * 64, "finding": "Odd", "reason": "Known"}
    Acknowledgement.objects.create(**values)
    with refused("acknowledgement_fingerprint_unique"):
        Acknowledgement.objects.create(**values)


def test_the_database_computes_the_rating():
    point = make_information_point(impact=40, likelihood=50)
    assert point.rating == 2000
    raw_update(point, impact=100)
    point.refresh_from_db()
    assert point.rating == 5000
    point.likelihood = 100
    point.save()
    assert point.rating == 10_000
    assert list(InformationPoint.objects.by_rating().values_list("rating", flat=True)) == [10_000]


def test_foreign_keys_hold_against_raw_removal():
    pipeline = make_pipeline(capacity_mw=1)
    facility = pipeline.facilities.get()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM pipelines_facility WHERE id = %s",
            [Facility._meta.pk.get_db_prep_value(facility.pk, connection)],
        )
        connection.check_constraints()


def test_one_message_a_webhook_and_change_set():
    webhook = a_webhook()
    make_pipeline()
    [delivery] = webhook.deliveries.all()
    for change_set, is_refused in ((None, False), (delivery.change_set, True)):
        for _ in range(2):
            again = WebhookDelivery(
                webhook=webhook, type="portfolio.changed", change_set=change_set
            )
            if is_refused:
                with refused("webhookdelivery_once_for_change_set"):
                    raw_insert(again)
            else:
                raw_insert(again)


def test_one_webhook_of_a_name_for_a_person():
    webhook = a_webhook()
    values = {"url": "https://other.example/", "events": "changed", "secret": "x"}
    with refused("webhook_name_unique"):
        raw_insert(Webhook(owner=webhook.owner, name=webhook.name.upper(), **values))


def test_every_constraint_is_tried_in_this_file():
    from oegen.audit.triggers import table_rules
    from oegen.core.triggers import Trigger

    declared = {
        constraint.name
        for model in [
            *(*audit.tracked_models(), Pipeline, StageTransition, Webhook, WebhookDelivery)
        ]
        for constraint in model._meta.constraints
    } | {rule.name for rule in table_rules() if isinstance(rule, Trigger)}
    declared -= {rule.name for rule in day_rules.triggers()}  # In tests/oegen/core/test_days.py.
    source = Path(__file__).read_text()
    assert {name for name in declared if f'"{name}"' not in source} == set()
