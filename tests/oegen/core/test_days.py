"""Days from 1990 to 2100 are taken, others refused, and older ones stop no other field."""

from datetime import date
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from oegen import audit
from oegen.audit.revert import steps
from oegen.audit.triggers import table_rules
from oegen.core import days
from oegen.core.days import DayInput
from oegen.imports import cells
from pipelines.models import Pipeline
from tests.support.builders import make_pipeline, make_portfolio, make_user
from tests.support.desk import errors_of
from tests.support.triggers import lifted_triggers

pytestmark = pytest.mark.django_db

FIELDS = [(model, field) for model in audit.tracked_models() for field in days.day_fields(model)]

WRONG = [date(27, 3, 4), date(1989, 12, 31), date(2101, 1, 1), date(9999, 12, 31)]


@pytest.fixture(scope="module")
def portfolio(module_db):
    make_portfolio(make_user())


def older(record, **values) -> None:
    """Store what was taken before there was the rule."""
    rules = [rule for rule in table_rules() if rule.table == record._meta.db_table]
    with lifted_triggers(rules):
        type(record).objects.filter(pk=record.pk).update(**values)
    record.refresh_from_db()


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=lambda one: getattr(one, "name", None))
def test_an_impossible_day_is_refused_by_record_and_database(portfolio, model, field):
    record = model.objects.order_by("pk").first()
    for wrong in WRONG:
        setattr(record, field.name, wrong)
        with pytest.raises(ValidationError) as refused:
            record.clean_fields()
        assert "Give a day from 1 Jan 1990 to 31 Dec 2100" in str(refused.value)
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.filter(pk=record.pk).update(**{field.name: wrong})
    for right in (days.FIRST_DAY, days.LAST_DAY):
        setattr(record, field.name, right)
        record.clean_fields()


def test_an_older_one_stops_no_other_field_and_is_remarked(desk):
    pipeline = make_pipeline("Herring Bank")
    older(pipeline, rtb_date=date(27, 8, 5))
    form = desk.open(pipeline)
    page = desk.client.get(desk.url(pipeline)).content.decode()
    assert 'value="0027-08-05"' in page
    assert form["rtb_date"] == "0027-08-05"

    assert desk.send(pipeline, form | {"rag_comment": "Well"}).status_code == 302
    pipeline.refresh_from_db()
    assert (pipeline.rag_comment, pipeline.rtb_date) == ("Well", date(27, 8, 5))
    output = StringIO()
    call_command("audit_check", stdout=output)
    assert "Remark: Pipeline “Herring Bank”: its RTB date is 0027-08-05" in output.getvalue()


def test_going_back_to_an_older_one_is_refused_in_words(desk):
    pipeline = make_pipeline(rtb_date=date(2027, 8, 5))
    older(pipeline, rtb_date=date(27, 8, 5))
    pipeline.rtb_date = date(2027, 8, 5)
    pipeline.save()
    newest = pipeline.history.latest("history_id").change_set
    undo = reverse("change-set-undo", args=[newest.number])
    text = desk.client.post(undo, {"reason": "Back"}).content.decode()
    assert "Give a day from 1 Jan 1990 to 31 Dec 2100" in text
    step = steps.Step(
        Pipeline, pipeline.pk, pipeline, pipeline.history.get(version=2), pipeline.version
    )
    with pytest.raises(ValidationError, match="Give a day"):
        step.apply()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("0027-03-04", "with all four digits of the year: this is in the year 27"),
        ("03/04/27", "a year of four digits"),
        ("2101-01-01", "Give a day from 1 Jan 1990 to 31 Dec 2100"),
    ],
)
def test_a_year_of_two_digits_is_refused_wherever_a_day_is_typed(desk, typed, words):
    pipeline = make_pipeline()
    form = desk.open(pipeline)
    for name in ("rtb_date", "cod_date", "probability_expires_on", "status_effective_on"):
        assert words in errors_of(desk.send(pipeline, form | {name: typed}))
    rows = desk.open(Pipeline, "changelist")
    answer = desk.send(Pipeline, rows | {"form-0-rtb_date": typed}, "changelist")
    assert words in errors_of(answer)
    move = {"version": 1, "to": "procurement", "reason": "x", "effective_on": typed}
    answer = desk.client.post(reverse("pipeline-move", args=[pipeline.pk]), move)
    assert words in " ".join(answer.context["move_form"].errors["effective_on"])
    pipeline.refresh_from_db()
    assert pipeline.version == 1


def test_the_boxes_have_bounds_unless_they_show_a_day_outside():
    assert 'min="1990-01-01" max="2100-12-31"' in DayInput().render("day", None)
    assert 'min="1990-01-01"' in DayInput().render("day", date(2027, 1, 1))
    assert "min=" not in DayInput().render("day", date(27, 1, 1))


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2027-04-03T23:00:00Z", date(2027, 4, 4)),
        ("2027-04-04T00:00+01:00", date(2027, 4, 4)),
        ("2027-01-03T23:00:00Z", date(2027, 1, 3)),
        ("2027-04-03T23:00:00", date(2027, 4, 3)),
    ],
)
def test_an_imported_moment_with_a_zone_is_the_day_it_was_here(cell, day):
    assert cells.day(cell) == day
