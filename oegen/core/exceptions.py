from __future__ import annotations

from typing import Any, ClassVar, Protocol

from django.db import IntegrityError
from django.db.models.options import Options


class Versioned(Protocol):
    """A record with a version that each write increments."""

    _meta: ClassVar[Options[Any]]

    @property
    def version(self) -> int: ...


class RuleBrokenError(IntegrityError):
    """A write violated a rule that the models enforce. Like an IntegrityError of the database, it
    rolls the write back; its text can be shown to users."""


class StaleRecordError(Exception):
    """Optimistic locking failed: somebody else changed or removed the record since it was read."""

    def __init__(self, record: Versioned) -> None:
        super().__init__(record)
        self.record = record

    def __str__(self) -> str:
        record = self.record
        return (
            f"{record._meta.verbose_name} {record} was changed by somebody else since it was read "
            f"(version {record.version}). Nothing was saved. Read it again and repeat the change."
        )
