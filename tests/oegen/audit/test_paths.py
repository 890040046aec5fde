"""Every way of writing every model leaves its history, or is refused. No model can be forgotten:
the tests are made from the list of models."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from counterparties.models import Contact, Counterparty
from oegen import audit
from oegen.core.exceptions import StaleRecordError
from oegen.models import ChangeSet
from pipelines.models import Facility, Stage, Technology
from tests.support.builders import make_contact, make_facility, make_user
from tests.support.tracked import (
    MODELS,
    a_new_one,
    a_record,
    a_removable_one,
    change,
    label,
    one_change_set,
    other_values,
    values_of,
)

pytestmark = [pytest.mark.usefixtures("portfolio"), pytest.mark.django_db]
every_model = pytest.mark.parametrize("model", MODELS, ids=label)


@pytest.fixture
def person():
    return make_user()


@pytest.fixture(autouse=True)
def nothing_found_afterwards(findings, request):
    """But after a failure, whose tests compare all that is there themselves."""
    yield
    if "a_failure" not in request.node.name:
        assert findings() == []


@async_to_sync
async def awaited(method, *args, **kwargs):
    return await method(*args, **kwargs)


# Ways to write, each a function that returns the history rows it should leave ---------------------


def save_new(model):
    record = a_new_one(model)
    return record.save, [("+", record.pk, 1)]


def create(model):
    values = values_of(a_new_one(model))
    return lambda: model.objects.create(**values), [("+", values["id"], 1)]


def get_or_create(model):
    values = values_of(a_new_one(model))
    key = values.pop("id")
    return lambda: model.objects.get_or_create(id=key, defaults=values), [("+", key, 1)]


def update_or_create_a_new_one(model):
    values = values_of(a_new_one(model))
    key = values.pop("id")
    return lambda: model.objects.update_or_create(id=key, defaults=values), [("+", key, 1)]


def update_or_create_an_old_one(model):
    record, values = a_record(model), other_values(model)
    write = lambda: model.objects.update_or_create(id=record.pk, defaults=values)  # noqa: E731
    return write, [("~", record.pk, record.version + 1)]


def bulk_create(model):
    records = [a_new_one(model), a_new_one(model)]
    rows = [("+", record.pk, 1) for record in records]
    return lambda: model.objects.bulk_create(records), rows


def acreate(model):
    values = values_of(a_new_one(model))
    return lambda: awaited(model.objects.acreate, **values), [("+", values["id"], 1)]


def abulk_create(model):
    record = a_new_one(model)
    return lambda: awaited(model.objects.abulk_create, [record]), [("+", record.pk, 1)]


def asave_new(model):
    record = a_new_one(model)
    return partial(awaited, record.asave), [("+", record.pk, 1)]


def saving(read):
    """A way that reads a record by ``read(model, key)``, changes it and saves it."""

    def write(model):
        record = read(model, a_record(model).pk)
        change(record)
        return record.save, [("~", record.pk, record.version + 1)]

    write.__name__ = read.__name__
    return write


@saving
def save(model, key):
    return model.objects.get(pk=key)


@saving
def save_what_in_bulk_read(model, key):
    return model.objects.in_bulk([key])[key]


@saving
def save_what_select_related_read(model, key):
    return model.objects.select_related().get(pk=key)


@saving
def save_with_deferred_fields(model, key):
    return model.objects.only("version").get(pk=key)


@saving
def save_what_sql_read(model, key):
    table = model._meta.db_table
    prepared = model._meta.pk.get_db_prep_value(key, connection)
    return model.objects.raw(f"SELECT * FROM {table} WHERE id = %s", [prepared])[0]  # noqa: S608


@saving
def save_what_the_base_manager_read(model, key):
    return model._base_manager.get(pk=key)


def save_some_fields(model):
    record = a_record(model)
    values = change(record)
    return lambda: record.save(update_fields=values.keys()), [("~", record.pk, record.version + 1)]


def save_a_made_up_instance(model):
    record = a_record(model)
    made_up = model(**(values_of(record) | other_values(model)))
    return lambda: made_up.save(force_update=True), [("~", record.pk, record.version + 1)]


def asave(model):
    record = a_record(model)
    change(record)
    return partial(awaited, record.asave), [("~", record.pk, record.version + 1)]


def update(model):
    record, values = a_record(model), other_values(model)
    chosen = model.objects.filter(pk=record.pk)
    return lambda: chosen.update(**values), [("~", record.pk, record.version + 1)]


def update_by_the_base_manager(model):
    record, values = a_record(model), other_values(model)
    chosen = model._base_manager.filter(pk=record.pk)
    return lambda: chosen.update(**values), [("~", record.pk, record.version + 1)]


def aupdate(model):
    record, values = a_record(model), other_values(model)
    chosen = model.objects.filter(pk=record.pk)
    return lambda: awaited(chosen.aupdate, **values), [("~", record.pk, record.version + 1)]


def bulk_update(model):
    record = a_record(model)
    fields = list(change(record))
    rows = [("~", record.pk, record.version + 1)]
    return lambda: model.objects.bulk_update([record], fields), rows


def abulk_update(model):
    record = a_record(model)
    fields = list(change(record))
    rows = [("~", record.pk, record.version + 1)]
    return lambda: awaited(model.objects.abulk_update, [record], fields), rows


def delete(model):
    record = a_removable_one(model)
    return record.delete, [("-", record.pk, 1)]


def adelete(model):
    record = a_removable_one(model)
    return partial(awaited, record.adelete), [("-", record.pk, 1)]


def delete_by_queryset(model):
    record = a_removable_one(model)
    return model.objects.filter(pk=record.pk).delete, [("-", record.pk, 1)]


def delete_by_the_base_manager(model):
    record = a_removable_one(model)
    return model._base_manager.filter(pk=record.pk).delete, [("-", record.pk, 1)]


def adelete_by_queryset(model):
    record = a_removable_one(model)
    return partial(awaited, model.objects.filter(pk=record.pk).adelete), [("-", record.pk, 1)]


WAYS = [
    save_new,
    create,
    get_or_create,
    update_or_create_a_new_one,
    update_or_create_an_old_one,
    bulk_create,
    acreate,
    abulk_create,
    asave_new,
    save,
    save_what_in_bulk_read,
    save_what_select_related_read,
    save_with_deferred_fields,
    save_what_sql_read,
    save_what_the_base_manager_read,
    save_some_fields,
    save_a_made_up_instance,
    asave,
    update,
    update_by_the_base_manager,
    aupdate,
    bulk_update,
    abulk_update,
    delete,
    adelete,
    delete_by_queryset,
    delete_by_the_base_manager,
    adelete_by_queryset,
]


@every_model
def test_history_rows_in_one_change_set_of_the_persons(model, person, part):
    for way in WAYS:
        with part(way):
            write, rows = way(model)
            with one_change_set(person, model, rows):
                write()


@every_model
def test_a_failure_after_the_write_leaves_neither(model, part):
    def state():
        history = model.history.model.objects
        return [
            sorted(model._base_manager.values_list("pk", "version")),
            history.count(),
            ChangeSet.objects.count(),
        ]

    for way in WAYS:
        with part(way):
            write, _ = way(model)
            before = state()
            with pytest.raises(ZeroDivisionError), audit.change_set():
                write()
                assert state() != before
                raise ZeroDivisionError
            assert state() == before


def test_a_failure_to_seal_leaves_neither(part, sealing_fails):
    for way in WAYS:
        with part(way):
            write, rows = way(Facility)
            before = list(Facility.objects.order_by("pk").values())
            with sealing_fails(), transaction.atomic():
                write()
            assert list(Facility.objects.order_by("pk").values()) == before
            kind, key, version = rows[0]
            left = Facility.history.filter(id=key, version=version, history_type=kind)
            assert not left.exists()


def test_a_reason_stays_with_every_row(person):
    record = a_record(Facility)
    with audit.change_set(person=person, reason="Redesign") as current:
        record.region = "North"
        record.save()
        Facility.objects.update(country="GB")
        made = make_facility()
        Facility.objects.bulk_create([a_new_one(Facility)])
        made.delete()
    rows = Facility.history.filter(change_set=current.pk)
    assert rows.count() > 4
    assert {row.history_change_reason for row in rows} == {"Redesign"}
    assert ChangeSet.objects.latest("number") == current


# Values -------------------------------------------------------------------------------------------


def test_a_partial_save_records_what_the_database_holds(part):
    for model in MODELS:
        with part(model):
            record = a_record(model)
            before = values_of(record)
            changed = change(record)
            record.save(update_fields=["modified_at"])
            told = record.history.latest("history_id")
            for name in changed:
                field = model._meta.get_field(name)
                kept = before[name].pk if field.is_relation else before[name]
                assert getattr(told, field.attname) == kept


def test_a_partial_save_of_nothing_writes_nothing():
    record = a_record(Facility)
    before = record.version, ChangeSet.objects.count()
    record.save(update_fields=[])
    assert (record.version, ChangeSet.objects.count()) == before


def test_an_expression_is_recorded_with_its_value():
    stage = a_record(Stage)
    order = stage.order
    stage.order = models.F("order") + 3
    stage.save()
    assert stage.order == order + 3
    assert stage.history.latest("history_id").order == order + 3


def test_a_naive_time_is_recorded_as_stored():
    counterparty = a_record(Counterparty)
    counterparty.archived_at = datetime(2026, 7, 1, 12)  # noqa: DTZ001
    with pytest.warns(RuntimeWarning, match="naive datetime"):
        counterparty.save()


def test_a_back_dated_record_that_is_saved_again_is_dated_today():
    then = timezone.now() - timedelta(days=900)
    with audit.change_set(recorded_at=then, source=audit.Source.IMPORT):
        contact = make_contact()
    contact.phone = "1"
    contact.save()
    first, second = contact.history.order_by("history_id")
    assert first.history_date == then
    assert timezone.now() - second.history_date < timedelta(minutes=1)


def test_history_cannot_be_switched_off(settings):
    settings.SIMPLE_HISTORY_ENABLED = False
    contact = make_contact()
    key = contact.pk
    contact.skip_history_when_saving = True
    contact.phone = "1"
    contact.save()
    contact.save_without_historical_record()
    contact.delete()
    kinds = Contact.history.filter(id=key).order_by("history_id")
    assert [row.history_type for row in kinds] == ["+", "~", "~", "-"]


def test_a_bulk_update_that_moves_rows_out_of_its_own_filter_records_only_what_it_wrote(
    monkeypatch,
):
    monkeypatch.setattr("oegen.audit.querysets.BATCH_SIZE", 1)
    parent = Technology.objects.get(code="wind")
    chosen = Technology.objects.filter(
        models.Q(pk=parent.pk) | models.Q(parent=parent, parent__is_active=True)
    )
    assert chosen.count() == 3
    chosen.update(is_active=False)


# Refusals -----------------------------------------------------------------------------------------


def test_what_would_leave_no_history_is_refused(part):
    not_recorded = pytest.raises(ValueError, match="history of the rows could not be recorded")
    goes_by_it = pytest.raises(ValueError, match="because the history of a record goes by it")
    for model in MODELS:
        for option in ("ignore_conflicts", "update_conflicts"):
            with part(f"{label(model)} {option}"), not_recorded:
                model.objects.bulk_create([a_new_one(model)], **{option: True})
        for name in ("pk", "id", "version"):
            with part(f"{label(model)} {name}"), goes_by_it:
                model.objects.filter(pk=a_record(model).pk).update(**{name: 7})
        with part(model), pytest.raises(TypeError, match="would leave no history"):
            model.objects.all()._raw_delete("default")


STALE = {
    "save": lambda record: record.save(),
    "save some fields": lambda record: record.save(update_fields=["modified_at"]),
    "save by force": lambda record: record.save(force_update=True),
    "delete": lambda record: record.delete(),
    "bulk_update": lambda record: type(record).objects.bulk_update([record], ["created_at"]),
}


def test_a_stale_record_is_refused(part):
    for model in MODELS:
        mine, theirs = a_record(model), a_record(model)
        change(theirs)
        theirs.save()
        number = ChangeSet.objects.count()
        for name, write in STALE.items():
            with part(f"{label(model)} {name}"):
                with pytest.raises(StaleRecordError):
                    write(mine)
                assert ChangeSet.objects.count() == number


def test_a_removed_record_is_refused(part):
    for model in MODELS:
        mine = a_removable_one(model)
        model.objects.get(pk=mine.pk).delete()
        for name, write in STALE.items():
            with part(f"{label(model)} {name}"):
                with pytest.raises(StaleRecordError):
                    write(mine)
                assert not model.objects.filter(pk=mine.pk).exists()


def test_a_key_that_is_taken_is_refused(part):
    for model in MODELS:
        with part(model):
            twin = a_new_one(model)
            twin.pk = a_record(model).pk
            with pytest.raises(IntegrityError), transaction.atomic():
                twin.save()
