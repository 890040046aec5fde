"""Seals: what makes a later change of the history show.

Every history row carries a **digest**, the SHA-256 of what it says: which record, who, when, why
and every value. Every change set is numbered from 1 without gaps and carries a **seal**, the
SHA-256 of its own facts, of the digests of its rows table by table, and of the seal before it. To
alter one entry unseen, one would have to seal every later change set again, and that differs
from any seal that was kept elsewhere (``manage.py audit_check --anchor``).

The chain has one link for each change set, not for each row: rows are written without waiting for
anybody, and only the end of a transaction, from the numbering to the commit, is one writer at a
time. SQLite has one writer at a time anyway; PostgreSQL takes an advisory lock there.

What a seal covers has grown; ``ChangeSet.seal_format`` says how far, and never falls again along
the chain. From 2 on it covers the person's username and name as they were, and a digest names the
kind of record that a comment is about instead of trusting the number that Django gave it.

Empty values are left out of a digest. So a column that is added later does not break the digests
of the rows before it, as long as it is nullable or a text that may be blank.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models, router
from django.utils import timezone

if TYPE_CHECKING:
    from oegen.audit.changesets import ChangeSet

#: The seal before the first one.
START = "0" * 64

#: What is sealed from now on; a change set without a format is of the first one.
FORMAT = 2

#: PostgreSQL's advisory lock around numbering; any number that nothing else here uses.
LOCK = 0x0E6E_5EA1


# Django's field classes take no type arguments at run time.
class DigestField(models.CharField):  # type: ignore[type-arg]
    """The digest of the row it stands in, made whenever the row is written."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 64, "editable": False, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        digest = digest_of(model_instance)
        setattr(model_instance, self.attname, digest)
        return digest


@cache
def sealed_fields(model: type[models.Model]) -> tuple[models.Field[Any, Any], ...]:
    """What a digest covers: all but the key, which the database gives, and generated columns."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key or field.generated or isinstance(field, DigestField))
    )


def digest_of(row: models.Model, seal_format: int | None = None) -> str:
    """The same for a row about to be written and for that row read back, on either database.

    ``seal_format`` is that of the row's change set; by default that of one written now.
    """
    if seal_format is None:
        change_sets = type(row)._meta.get_field("change_set").related_model
        seal_format = format_of(cast("type[ChangeSet]", change_sets))
    facts: dict[str, Any] = {"table": row._meta.label_lower}
    for field in sealed_fields(type(row)):
        value = plain(field, getattr(row, field.attname))
        if value is not None and value != "":
            facts[field.attname] = value
            if seal_format >= 2 and _is_content_type(field):
                facts[f"{field.attname}:label"] = _label_of_content_type(value)
    return hash_of(facts)


def format_of(model: type[ChangeSet]) -> int:
    """What a change set of this model is sealed by: a migration's frozen one may lack columns."""
    names = {field.name for field in model._meta.concrete_fields}
    return FORMAT if "seal_format" in names else 1


def _is_content_type(field: models.Field[Any, Any]) -> bool:
    if not isinstance(field, models.ForeignKey):
        return False
    return bool(field.remote_field.model._meta.label == "contenttypes.ContentType")


def _label_of_content_type(key: int) -> str:
    try:
        kind = ContentType.objects.get_for_id(key)
    except ContentType.DoesNotExist:
        return ""  # Somebody removed it past the program: the digest no longer fits.
    return f"{kind.app_label}.{kind.model}"


def plain(field: models.Field[Any, Any], value: Any) -> Any:
    """A field's value as JSON has it, the same however the value was given."""
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    value = field.to_python(value)
    if isinstance(value, Decimal) and isinstance(field, models.DecimalField):
        return str(to_scale(value, field))
    if isinstance(value, datetime):
        if timezone.is_naive(value):
            value = timezone.make_aware(value, timezone.get_default_timezone())
        return value.astimezone(UTC).isoformat()
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)


def to_scale(value: Decimal, field: models.DecimalField[Any, Any]) -> Decimal:
    """With as many decimals as the column keeps, rounded as PostgreSQL does."""
    return value.quantize(Decimal(1).scaleb(-field.decimal_places), rounding=ROUND_HALF_UP)


def hash_of(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Tally:
    """The rows of one table in one change set: their number, and the hash of their digests.

    Rows are added in the order of their keys.
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
    """The change set's seal, given the one before it."""
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
    # Older change sets, and the frozen models of migrations, have none.
    if details := getattr(change_set, "details", None):
        facts.append({"details": details})
    if (seal_format := getattr(change_set, "seal_format", None)) is not None:
        facts += [seal_format, change_set.person_username, change_set.person_name]
    return hash_of(facts)


def _digests(history: type[models.Model], change_sets: Iterable[Any]) -> models.QuerySet[Any, Any]:
    """(change set, key, digest) of their rows in this history table, in the order of a Tally."""
    rows = history._base_manager.filter(change_set__in=list(change_sets))
    rows = rows.order_by("change_set_id", "history_id")
    return rows.values_list("change_set_id", "history_id", "digest")


def close(
    model: type[ChangeSet],
    change_sets: list[ChangeSet],
    tables: Iterable[type[models.Model]],
) -> None:
    """Number, seal and write change sets, in the order given, whose rows are all written.

    ``tables`` are the history models that may have rows of theirs. One without rows is left out.
    The last thing to do in a transaction: others who close theirs wait from here to its end.
    """
    by_key = {change_set.pk: change_set for change_set in change_sets}
    for change_set in change_sets:
        change_set.contents = {}
    tables = sorted(tables, key=lambda one: one._meta.label_lower)
    *digests, newest = _read(model, [_digests(history, by_key) for history in tables])
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
        _name_the_person(change_set)
        change_set.seal = seal = seal_of(change_set, seal)
    model._base_manager.bulk_create(filled, batch_size=500)


def _name_the_person(change_set: ChangeSet) -> None:
    """Let it say its format and, from 2 on, who the person was."""
    if format_of(type(change_set)) == 1:
        return
    change_set.seal_format = FORMAT
    if person := change_set.person:
        change_set.person_username = person.get_username()
        change_set.person_name = person.get_full_name()


def _read(model: type[ChangeSet], digests: list[models.QuerySet[Any, Any]]) -> list[Iterable[Any]]:
    """The rows of each queryset and, last, the newest number and seal, read once no other
    transaction is between the numbering of a change set and its end.

    Foreign keys are checked before: that may wait for rows of a writer who waits for the turn.
    """
    newest = model._base_manager.order_by("-number").values_list("number", "seal")[:1]
    connection = connections[router.db_for_write(model)]
    if connection.vendor != "postgresql":
        return [*(rows.iterator() for rows in digests), list(newest)]
    keys = ""
    if model._meta.apps is apps:  # Else it is a frozen one, in a migration.
        written = frozenset(rows.model.instance_type for rows in digests)
        keys = _foreign_keys(written, connection.alias)
    with ExitStack() as stack:

        def execute(sql: str, params: Sequence[Any] = ()) -> Any:
            cursor = stack.enter_context(connection.cursor())
            cursor.execute(sql, params)
            return cursor

        # In one round trip; each statement sees what was committed when its own turn came.
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
    """The foreign keys from and to the tables of these models, which PostgreSQL checks at the end
    of a transaction."""
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
