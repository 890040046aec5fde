"""No stage comes after the end of the pipeline; databases that break it already go on."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction

from oegen import audit
from oegen.core.triggers import registered_triggers
from oegen.models import ReferenceModel
from pipelines.models import Stage
from tests.support.triggers import lifted_triggers

pytestmark = pytest.mark.django_db


def test_new_databases_have_room_between_the_stages():
    assert [*Stage.objects.values_list("order", flat=True)] == [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize(
    ("code", "values", "sentence"),
    [
        ("financing", {"order": 65}, "“Completed”, the end of the pipeline, has the order 60"),
        ("sale", {"order": 25, "is_terminal": True}, "“Commissioning” has the order 50"),
    ],
)
def test_a_stage_after_the_end_is_refused(code, values, sentence):
    stage = Stage(code=code, name=code.capitalize(), **values)
    with pytest.raises(ValidationError, match=sentence):
        stage.full_clean()
    with pytest.raises(IntegrityError, match="comes after every other"), transaction.atomic():
        stage.save()
    stage.order, stage.is_terminal = 35, False
    stage.full_clean()
    stage.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Stage.objects.filter(code=code).update(order=70)


def test_one_that_is_there_already_is_remarked_on_and_can_be_written(capsys):
    rules = [one for one in registered_triggers() if one.name == "stage_ends_come_last"]
    with lifted_triggers(rules):
        stage = Stage.objects.create(code="financing", name="Financing", order=65)
    stage.default_probability_pct = 40
    stage.full_clean()
    stage.save()
    Stage.objects.filter(code="completed").update(name="Built")
    call_command("audit_check")
    output = capsys.readouterr().out
    assert "Remark: Stage “Financing”" in output
    stage.order = 66
    with pytest.raises(IntegrityError), transaction.atomic():
        stage.save()
    stage.refresh_from_db()
    stage.order = 45
    stage.save()


def test_the_set_up_wrote_each_word_once():
    """A set-up row counts as always there: a later one would change the past."""
    for model in audit.tracked_models():
        if issubclass(model, ReferenceModel):
            rows = model.history.filter(change_set__source=audit.Source.MIGRATION)
            assert set(rows.values_list("version", flat=True)) <= {1}, model
