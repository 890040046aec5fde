"""A record of every tracked model to write to, and checks of the history after a write."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from uuid import UUID, uuid4

from django.db import connection
from django_countries import countries

from counterparties.models import ContactRole
from oegen import audit
from oegen.models import ChangeSet
from pipelines.models import CounterpartyRole, GateSet, MilestoneKind, Stage, Technology
from pipelines.reference import COMPLETED
from tests.support.builders import (
    make_counterparty,
    make_facility,
    make_pipeline,
)

#: Copies of accounts and groups follow these: see tests/oegen/people. What is written once can't be
#: changed: see tests/dashboard/test_freezing.py.
MODELS = [model for model in audit.tracked_models() if not (model.IS_COPY or model.is_append_only)]

_numbers = count(1)


def contents() -> dict[str, dict[UUID, dict]]:
    """Every audited row, by model and key, without its version and when it was written."""
    return {
        model._meta.label: {
            row.pk: {
                field.attname: getattr(row, field.attname)
                for field in model._meta.concrete_fields
                if field.name not in ("version", "modified_at")
            }
            for row in model._base_manager.all()
        }
        for model in audit.tracked_models()
    }


def label(value) -> str:
    return value.__name__


def other_values(model) -> dict:
    """Values that no record of the model has, different with each call.

    Raises KeyError for a model that is missing here.
    """
    number = next(_numbers)
    name = f"Other {number}"
    by_name = {"name": name}
    coded = {"name": name, "code": f"other-{number}"}
    return {
        "Acknowledgement": lambda: {
            "finding": name,
            "fingerprint": f"{number:064}",
            "reason": name,
        },
        "AlertRule": lambda: coded,
        "Comment": lambda: {"text": name},
        # Unique, because the address of another contact raises a question.
        "Contact": lambda: {**by_name, "email": f"other-{number}@birch.example"},
        "ContactRole": lambda: coded,
        "Counterparty": lambda: by_name,
        "CounterpartyContact": lambda: {"role": ContactRole.objects.create(**coded)},
        "CounterpartyRole": lambda: coded,
        "Edition": lambda: {"date": date(2000, 1, 1) + timedelta(number)},
        "ExternalReference": lambda: {"key": name},
        "Facility": lambda: by_name,
        "Gate": lambda: {"kind": MilestoneKind.objects.create(**coded)},
        "GateSet": lambda: {**coded, "country": a_free_country(number)},
        "InformationPoint": lambda: {"title": name},
        "InformationPointCounterparty": lambda: {"counterparty": make_counterparty(name)},
        "InformationPointPipeline": lambda: {"pipeline": make_pipeline(name)},
        "InformationPointTechnology": lambda: {
            "technology": Technology.objects.create(capacity_basis="ac", **coded)
        },
        "Match": lambda: {"object_id": uuid4()},
        "Milestone": lambda: {"kind": MilestoneKind.objects.create(**coded)},
        "MilestoneKind": lambda: coded,
        "Pipeline": lambda: {"project_name": name},
        "PipelineCounterparty": lambda: {"role": CounterpartyRole.objects.create(**coded)},
        "PipelineFacility": lambda: {"facility": make_facility(name)},
        "Register": lambda: coded,
        "Schedule": lambda: {
            **coded,
            "kind": "tidy",
            "frequency": "minutes",
            "interval": 5,
            "weekday": None,
            "at": None,
        },
        "Stage": lambda: {**coded, "order": a_free_order(number)},
        "StageTransition": lambda: {"effective_on": date(2000, 1, 1) + timedelta(number)},
        "Technology": lambda: coded,
    }[model.__name__]()


def a_free_country(number: int) -> str:
    """A country that no gate set has. The next number gives another one."""
    taken = set(GateSet.objects.values_list("country", flat=True))
    free = [country.code for country in countries if country.code not in taken]
    return free[number % len(free)]


def a_free_order(number: int) -> int:
    """A free order before the terminal stage, which must come last. The next number gives another
    one, because the stage of this one may not have been saved."""
    end = Stage.objects.get(code=COMPLETED).order
    taken = set(Stage.objects.values_list("order", flat=True))
    free = [order for order in range(end) if order not in taken]
    return free[number % len(free)]


def a_record(model):
    """The newest record of the model, read from the database."""
    return model.objects.order_by("-created_at").first()


def a_new_one(model):
    """An unsaved record that differs from the existing ones."""
    record = a_record(model)
    for name, value in other_values(model).items():
        setattr(record, name, value)
    record.assign_new_id()
    return record


def a_removable_one(model):
    record = a_new_one(model)
    record.save()
    return model.objects.get(pk=record.pk)


def values_of(record) -> dict:
    fields = record._meta.concrete_fields
    return {one.name: getattr(record, one.name) for one in fields if not one.generated}


def change(record) -> dict:
    """Give a record other values, unsaved; returns them."""
    values = other_values(type(record))
    for name, value in values.items():
        setattr(record, name, value)
    return values


@contextmanager
def one_change_set(person, model, rows):
    """Check that the block leaves the history rows ``rows`` of the model, as (type, key, version),
    in one change set of the person. ``rows`` may be a list that is filled inside the block."""
    newest = ChangeSet.objects.latest("number").number
    with audit.acting(person, audit.Source.FORM):
        yield
    change_set = ChangeSet.objects.get(number__gt=newest)
    assert (change_set.person, change_set.source) == (person, "form")
    left = model.history.filter(change_set=change_set)
    assert {row.history_user for row in left} == {person}
    found = [(row.history_type, row.id, row.version) for row in left]
    assert sorted(found, key=str) == sorted(rows, key=str)


# Any kind of write: the history compared with the differences of the tables -------------------


def everything(*, history: bool = True) -> dict:
    """The version of each record and, with ``history``, the number of rows of each history."""
    tables = {model._meta.db_table: model for model in MODELS}
    parts = [f"SELECT '{table}', id, version FROM {table}" for table in tables]  # noqa: S608
    if history:
        kept = [ChangeSet, *(model.history.model for model in MODELS)]
        tables |= {model._meta.db_table: model for model in kept}
        parts += [
            f"SELECT '{model._meta.db_table}', NULL, count(*) FROM {model._meta.db_table}"  # noqa: S608
            for model in kept
        ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return {(tables[table], key and UUID(str(key))): number for table, key, number in cursor}


@contextmanager
def all_recorded(*, person, source, reason):
    """Check that the block leaves one change set with this person and reason, whose history rows
    are exactly those of the records that changed."""
    before, newest = everything(history=False), ChangeSet.objects.latest("number").number
    yield
    after = everything(history=False)
    change_set = ChangeSet.objects.get(number__gt=newest)
    assert (change_set.person, change_set.source) == (person, source)
    assert change_set.reason == reason
    reported = []
    for model in MODELS:
        # Version 0 is imported history.
        rows = model.history.filter(change_set=change_set, version__gt=0)
        for row in rows:
            assert (row.history_user, row.history_change_reason) == (person, reason)
            reported.append((model.__name__, str(row.id), row.version, row.history_type))
    assert sorted(reported) == sorted(_became(before, after))
    assert reported


def _became(before: dict, after: dict):
    """The history rows that the difference between two states should have."""
    for model, key in before.keys() | after.keys():
        then, now = before.get((model, key)), after.get((model, key))
        named = model.__name__, str(key)
        if now is None:
            yield *named, then, "-"
            continue
        kind = "~"
        if then is None:
            rows = model.history.filter(id=key)
            removal = rows.filter(history_type="-").order_by("-version").first()
            then = removal.version if removal else 0
            # With imported history, the first own row is a change.
            kind = "~" if rows.filter(version=0).exists() else "+"
        for version in range(then + 1, now + 1):
            yield *named, version, kind
            kind = "~"


@contextmanager
def nothing_written():
    """Check that the block leaves no record, no history row and no change set."""
    before = everything()
    yield
    assert everything() == before
