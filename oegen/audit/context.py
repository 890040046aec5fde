"""The open change set, with its person, reason and transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.formats import date_format

from oegen.audit import seals
from oegen.audit.changes import Changes
from oegen.audit.changesets import ChangeSet
from oegen.audit.choices import Source
from oegen.audit.signals import change_set_closed, change_set_closing
from oegen.core import clock
from oegen.core.clock import ReadOnlyPastError
from oegen.core.exceptions import RuleBrokenError
from oegen.core.fields import REASON_LIMIT, storage_error, too_long_message
from oegen.core.text import clean_prose

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


@dataclass(frozen=True)
class TokenMark:
    """The access token by which a person writes, as it is stored in change sets."""

    id: uuid.UUID
    name: str


@dataclass(frozen=True)
class Origin:
    """Default person and source of new change sets, and the token of all of them. The middleware
    sets it for each request."""

    person: AbstractUser | None = None
    source: str = Source.CODE
    token: TokenMark | None = None
    #: Ids of the change sets written under this origin.
    change_set_ids: list[uuid.UUID] = field(default_factory=list, compare=False)


NOBODY = Origin()

_origin: ContextVar[Origin] = ContextVar("oegen_origin", default=NOBODY)
_open: ContextVar[ChangeSet | None] = ContextVar("oegen_change_set", default=None)


@contextmanager
def acting(
    person: AbstractUser | None, source: str, token: TokenMark | None = None
) -> Iterator[Origin]:
    """Set the default person and source of change sets that are opened inside, and the token by
    which they are written."""
    origin = Origin(person, source, token)
    before = _origin.set(origin)
    try:
        yield origin
    finally:
        _origin.reset(before)


@contextmanager
def change_set(
    *,
    person: AbstractUser | None = None,
    reason: str = "",
    source: str = "",
    recorded_at: datetime | None = None,
    undoes: ChangeSet | None = None,
    savepoint: bool = True,
) -> Iterator[ChangeSet]:
    """Open a change set and a transaction.

    If nested, it yields the outer change set, whose person and reason stay; a savepoint makes the
    inner block atomic. Without ``savepoint``, an error in the block leaves the transaction to be
    rolled back by the next outer one: for a part of a write that has its own, and for a change set
    of many rows inside a transaction. SQLite inserts into a large table several times as slowly
    after a savepoint.

    ``undoes`` is the change set that this one reverts. ``recorded_at`` back-dates the history rows;
    it is only for imported audit trails and sample data. Raises RuleBrokenError for a reason that
    is too long or can't be stored.
    """
    if day := clock.past_day():
        raise ReadOnlyPastError(
            f"The portfolio as of {date_format(day)} can only be read. Go back to today "
            "to change it."
        )
    outer = current_change_set()
    if outer is not None:
        with transaction.atomic(savepoint=savepoint):
            yield outer
        return

    reason = clean_prose(reason)
    if error := storage_error(reason):
        raise RuleBrokenError(f"Reason: {error}")
    if len(reason) > REASON_LIMIT:
        raise RuleBrokenError(f"Reason: {too_long_message(REASON_LIMIT, len(reason))}")
    origin = _origin.get()
    current = ChangeSet(
        id=uuid.uuid4(),
        # The user model belongs to a higher layer.
        person=person or origin.person,  # type: ignore[misc]
        reason=reason,
        source=source or origin.source,
        recorded_at=recorded_at or timezone.now(),
        undoes=undoes,
        token=origin.token.id if origin.token else None,
        token_name=origin.token.name if origin.token else "",
    )
    current.back_dated = recorded_at is not None
    current.connection = transaction.get_connection()
    with transaction.atomic(savepoint=savepoint):
        token = _open.set(current)
        try:
            yield current
            change_set_closing.send(type(current), change_set=current)
        finally:
            _open.reset(token)
        # Foreign keys are checked at commit, so the row is written last, and only if needed.
        if current.has_rows:
            change_set_closed.send(type(current), change_set=current, changes=Changes(current))
            current.set_details()
            seals.close(ChangeSet, [current], current.written)
    if current.has_rows and origin is not NOBODY:
        origin.change_set_ids.append(current.id)


def current_change_set() -> ChangeSet | None:
    """The open change set, or None. Also None in a thread that runs in a copy of this context,
    because it has another database connection."""
    current = _open.get()
    if current is None or current.connection is not transaction.get_connection():
        return None
    return current


def open_change_set() -> ChangeSet:
    """The open change set. Raises LookupError if there is none."""
    current = current_change_set()
    if current is None:
        raise LookupError("No change set is open.")
    return current


def queue_for_closing(kind: type[models.Model] | str, keys: Iterable[Any]) -> None:
    """Queue primary keys for the receivers of ``change_set_closing``: oegen.people.accounts copies
    the accounts and groups, oegen.audit.pointers checks what the records point to."""
    keys = set(keys)
    if keys:
        with change_set() as current:
            current.queued_for_closing.setdefault(kind, set()).update(keys)
