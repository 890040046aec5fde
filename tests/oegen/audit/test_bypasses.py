"""What is written past the history is found by audit_check."""

import pytest
from django.db import models, transaction

from oegen.audit.integrity import Check
from tests.support.tracked import (
    MODELS,
    a_new_one,
    a_record,
    a_removable_one,
    change,
    label,
    other_values,
)

pytestmark = [pytest.mark.usefixtures("portfolio"), pytest.mark.django_db]


def plain_update(model):
    models.QuerySet(model).filter(pk=a_record(model).pk).update(**other_values(model))


def plain_insert(model):
    models.QuerySet(model).bulk_create([a_new_one(model)])


def plain_delete(model):
    key = a_removable_one(model).pk
    for link, name in model.link_models():
        link.objects.filter(**{name: key}).delete()
    models.QuerySet(model).filter(pk=key)._raw_delete("default")


def load_a_fixture_row(model):
    a_new_one(model).save_base(raw=True)


def load_a_fixture_row_over_a_record(model):
    record = a_record(model)
    change(record)
    record.save_base(raw=True)


def save_below_save(model):
    record = a_record(model)
    change(record)
    record.save_base()


BYPASSES = [
    plain_update,
    plain_insert,
    plain_delete,
    load_a_fixture_row,
    load_a_fixture_row_over_a_record,
    save_below_save,
]


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_what_goes_past_the_history_is_found(model, part):
    noun = str(model._meta.verbose_name).capitalize()
    for write in BYPASSES:
        with part(write):
            write(model)
            assert any(str(one).startswith(noun) for one in Check().findings())
            transaction.set_rollback(True)
