"""Seals: a hash chain that makes tampering with the history detectable.

Every history row has a **digest**, the SHA-256 of its contents: record, person, time, reason and
every value. Every change set is numbered from 1 without gaps and has a **seal**, the SHA-256 of its
own fields, the digests of its rows per table, and the previous seal. Altering an entry unnoticed
would require new seals for every later change set, and these would differ from any seal that was
stored elsewhere (``manage.py audit_check --anchor``).

The chain has one link per change set, not per row: rows are written concurrently, and only the end
of a transaction, from the numbering to the commit, is serialized. SQLite has one writer at a time
anyway; on PostgreSQL an advisory lock serializes it.

``ChangeSet.seal_format`` says what a seal covers; it never decreases along the chain. Since format
2 the seal covers the person's username and name at the time, and a digest covers the label of a
content type as well as its id.

Empty values are left out of a digest. So a column that is added later does not change the digests
of older rows, as long as it is nullable or a text that may be blank.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, partial
from itertools import groupby
from json.encoder import encode_basestring
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models, router
from django.db.models.expressions import RawSQL
from django.utils import timezone

from oegen.core import bulk
from oegen.core.columns import columns_of, map_once
from oegen.core.database import key_set

if TYPE_CHECKING:
    from oegen.audit.changesets import ChangeSet
    from oegen.core.fields import AnyField

#: The value that takes the place of the previous seal in the first one.
START = "0" * 64

#: The format of new seals; a change set without a format has format 1.
FORMAT = 2

#: The number of PostgreSQL's advisory lock around numbering.
LOCK = 0x0E6E_5EA1


# Field classes of Django can't be subscripted at run time: hence type-arg.
class DigestField(bulk.ComputedField, models.CharField):  # type: ignore[type-arg]
    """The digest of its own row, computed whenever the row is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 64, "editable": False, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        digest = digest_of(model_instance)
        setattr(model_instance, self.attname, digest)
        return digest

    def values_of(self, rows: Collection[models.Model]) -> list[str]:
        model = type(next(iter(rows)))
        names = [field.attname for field in sealed_fields(model)]
        digests = digests_of(model, columns_of(rows, names))
        for row, digest in zip(rows, digests, strict=True):
            setattr(row, self.attname, digest)
        return digests


@cache
def sealed_fields(model: type[models.Model]) -> tuple[AnyField, ...]:
    """The fields that a digest covers: all but the primary key, which the database assigns, and
    generated columns."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or isinstance(field, DigestField))
    )


def digest_of(row: models.Model, seal_format: int | None = None) -> str:
    """The digest of a history row. It is equal before writing and after reading, on both databases.

    ``seal_format`` is that of the row's change set; by default the current one.
    """
    plan = _plan(type(row), seal_format)
    return _hash_of_parts(write(getattr(row, name)) for name, write in plan)


def digests_of(
    model: type[models.Model], columns: Mapping[str, Sequence[Any]], seal_format: int | None = None
) -> list[str]:
    """``digest_of`` for each of the rows of a history model whose values are in ``columns``."""
    parts = [map_once(write, columns[name]) for name, write in _plan(model, seal_format)]
    return list(map(_hash_of_parts, zip(*parts, strict=True)))


def _hash_of_parts(parts: Iterable[str]) -> str:
    return _hash_of_text(f"{{{','.join(filter(None, parts))}}}")


#: An attribute, and a function that writes a value of it.
_Part = tuple[str, Callable[[Any], str]]


def _plan(model: type[models.Model], seal_format: int | None) -> list[_Part]:
    if seal_format is None:
        change_sets = model._meta.get_field("change_set").related_model
        seal_format = format_of(cast("type[ChangeSet]", change_sets))
    return _parts(model, has_labels=seal_format >= 2)


@cache
def _parts(model: type[models.Model], *, has_labels: bool) -> list[_Part]:
    """The parts of the text that is hashed, in their order: the table and the values of the row as
    JSON with sorted keys, without the empty ones."""
    fields = sealed_fields(model)
    table = f'"table":{_JSON.encode(model._meta.label_lower)}'
    parts: dict[str, _Part] = {"table": (fields[0].attname, lambda value: table)}
    for field in fields:
        name = field.attname
        parts[name] = (name, partial(_part, field, f'"{name}":', *_usual(field)))
        if has_labels and _is_content_type(field):
            parts[f"{name}:label"] = (name, partial(_label_part, field, f'"{name}:label":'))
    return [parts[key] for key in sorted(parts)]


def _part(
    field: AnyField, key: str, usual_type: type | None, write: Callable[[Any], str], value: Any
) -> str:
    """Key and value; nothing for an empty value."""
    if value is None:
        return ""
    if type(value) is not usual_type:
        value, write = normalize(field, value), _JSON.encode
    # Zero and False are values.
    return key + write(value) if value or (value is not None and value != "") else ""


def _label_part(field: AnyField, key: str, value: Any) -> str:
    """Key and label of a content type."""
    if value is None:
        return ""
    return key + _JSON.encode(_label_of_content_type(normalize(field, value)))


def usual_type(field: AnyField) -> type | None:
    """The type of the values that the field holds, where each value of that type is one that it
    can hold; None for fields whose values must be looked at."""
    return _usual(field)[0]


def _usual(field: AnyField) -> tuple[type | None, Callable[[Any], str]]:
    """The usual type, and a function that writes the JSON of its values as ``normalize`` returns
    them, only faster."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    for kind, expected, write in _USUAL:
        if type(field).to_python is kind.to_python:
            return expected, write
    return None, str


def _quoted(value: Any) -> str:
    return f'"{value}"'


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _time(value: datetime) -> str:
    return f'"{_in_utc(value)}"'


def _in_utc(value: datetime) -> str:
    if value.tzinfo is not UTC:
        if timezone.is_naive(value):
            value = timezone.make_aware(value, timezone.get_default_timezone())
        value = value.astimezone(UTC)
    return value.isoformat()


#: By the class whose ``to_python`` a field has. Decimals are not here: their scale depends on the
#: field.
_USUAL: tuple[tuple[type[AnyField], type, Callable[[Any], str]], ...] = (
    (models.CharField, str, encode_basestring),
    (models.TextField, str, encode_basestring),
    (models.UUIDField, UUID, _quoted),
    (models.DateTimeField, datetime, _time),
    (models.DateField, date, _quoted),
    (models.IntegerField, int, str),
    (models.BooleanField, bool, _bool),
)


def format_of(model: type[ChangeSet]) -> int:
    """The seal format for this change set model: a migration's frozen model may lack columns."""
    names = {field.name for field in model._meta.concrete_fields}
    return FORMAT if "seal_format" in names else 1


def _is_content_type(field: AnyField) -> bool:
    if not isinstance(field, models.ForeignKey):
        return False
    return bool(field.remote_field.model._meta.label == "contenttypes.ContentType")


def _label_of_content_type(key: int) -> str:
    try:
        kind = ContentType.objects.get_for_id(key)
    except ContentType.DoesNotExist:
        return ""  # It was deleted by SQL: the digest no longer matches.
    return f"{kind.app_label}.{kind.model}"


def normalize(field: AnyField, value: Any) -> Any:
    """A field's value normalized for JSON: equal for a value as assigned and as read back."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    value = field.to_python(value)
    if isinstance(value, Decimal) and isinstance(field, models.DecimalField):
        return str(to_scale(value, field))
    if isinstance(value, datetime):
        return _in_utc(value)
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)


def to_scale(value: Decimal, field: models.DecimalField[Any, Any]) -> Decimal:
    """Round to the decimals of the column, as PostgreSQL does."""
    return value.quantize(Decimal(1).scaleb(-field.decimal_places), rounding=ROUND_HALF_UP)


_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_of(facts: Any) -> str:
    return _hash_of_text(_JSON.encode(facts))


def _hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Tally:
    """The number of rows of one table in one change set, and the hash of their digests.

    Rows must be added in the order of their keys.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, history_id: int, digest: str) -> None:
        self.rows += 1
        self._hash.update(f"{history_id}:{digest}\n".encode())

    def as_contents(self) -> list[int | str]:
        return [self.rows, self._hash.hexdigest()]


def seal_of(change_set: ChangeSet, previous: str) -> str:
    """The change set's seal, given the previous one."""
    facts = [
        previous,
        change_set.number,
        str(change_set.pk),
        change_set.person_id and str(change_set.person_id),
        change_set.reason,
        change_set.undoes_id and str(change_set.undoes_id),
        str(change_set.source),
        change_set.recorded_at.astimezone(UTC).isoformat(),
        change_set.sealed_at.astimezone(UTC).isoformat(),
        change_set.contents,
    ]
    # Older change sets and frozen models of migrations lack these columns.
    if details := getattr(change_set, "details", None):
        facts.append({"details": details})
    if token := getattr(change_set, "token", None):
        facts.append({"token": str(token), "token_name": change_set.token_name})
    if (seal_format := getattr(change_set, "seal_format", None)) is not None:
        facts += [seal_format, change_set.person_username, change_set.person_name]
    return hash_of(facts)


def _digests(history: type[models.Model], change_sets: RawSQL) -> models.QuerySet[Any, Any]:
    """(change set, key, digest) of their rows in a history table, in the order for Tally."""
    rows = history._base_manager.filter(change_set__in=change_sets)
    rows = rows.order_by("change_set_id", "history_id")
    return rows.values_list("change_set_id", "history_id", "digest")


def close(
    model: type[ChangeSet],
    change_sets: list[ChangeSet],
    tables: Iterable[type[models.Model]],
) -> None:
    """Number, seal and write change sets, in the given order, after all their rows are written.

    ``tables`` are the history models that may have rows of them. A change set without rows is
    skipped. Call it last in a transaction: it blocks other writers' ``close`` until the commit.
    """
    by_key = {change_set.pk: change_set for change_set in change_sets}
    for change_set in change_sets:
        change_set.contents = {}
    tables = sorted(tables, key=lambda one: one._meta.label_lower)
    keys = key_set(by_key)
    *digests, newest = _read_locked(model, [_digests(history, keys) for history in tables])
    for history, rows in zip(tables, digests, strict=True):
        for key, members in groupby(rows, itemgetter(0)):
            tally = Tally()
            for _, history_id, digest in members:
                tally.add(history_id, digest)
            by_key[key].contents[history._meta.label_lower] = tally.as_contents()
    number, seal = next(iter(newest), (0, START))
    now = timezone.now()
    filled = [change_set for change_set in change_sets if change_set.contents]
    for change_set in filled:
        number += 1
        change_set.number, change_set.sealed_at = number, now
        _set_person_names(change_set)
        change_set.seal = seal = seal_of(change_set, seal)
    bulk.insert(model, filled, using=router.db_for_write(model))


def _set_person_names(change_set: ChangeSet) -> None:
    """Set the seal format and, from format 2 on, the person's names."""
    if format_of(type(change_set)) == 1:
        return
    change_set.seal_format = FORMAT
    if person := change_set.person:
        change_set.person_username = person.get_username()
        change_set.person_name = person.get_full_name()


def _read_locked(
    model: type[ChangeSet], digests: list[models.QuerySet[Any, Any]]
) -> list[Iterable[Any]]:
    """The rows of each queryset and, last, the newest number and seal, read under the lock that
    serializes numbering.

    Foreign keys are checked before taking the lock: that check may wait for rows of a writer who
    waits for the lock.
    """
    newest = model._base_manager.order_by("-number").values_list("number", "seal")[:1]
    connection = connections[router.db_for_write(model)]
    if connection.vendor != "postgresql":
        return [*(rows.iterator() for rows in digests), list(newest)]
    keys = ""
    if model._meta.apps is apps:  # Otherwise it is a frozen model of a migration.
        written = frozenset(rows.model.instance_type for rows in digests)
        keys = _foreign_keys(written, connection.alias)
    with ExitStack() as stack:

        def execute(sql: str, params: Sequence[Any] = ()) -> Any:
            cursor = stack.enter_context(connection.cursor())
            cursor.execute(sql, params)
            return cursor

        # In one round trip; each statement sees what was committed before it started.
        with connection.wrap_database_errors, connection.connection.pipeline():
            found = [execute(*rows.query.sql_with_params()) for rows in digests]
            if keys:
                execute(f"SET CONSTRAINTS {keys} IMMEDIATE")
            execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if keys:
                execute(f"SET CONSTRAINTS {keys} DEFERRED")
            found.append(execute(*newest.query.sql_with_params()))
        return [cursor.fetchall() for cursor in found]


@cache
def _foreign_keys(written: frozenset[type[models.Model]], using: str) -> str:
    """The deferred foreign keys from and to the tables of these models, quoted for SQL."""
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname FROM pg_constraint
            WHERE contype = 'f' AND condeferred AND (
                conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))
            """,
            [[model._meta.db_table for model in written]] * 2,
        )
        return ", ".join(connection.ops.quote_name(name) for (name,) in cursor.fetchall())
