from __future__ import annotations

from typing import Any, ClassVar, Protocol

from django.db import IntegrityError
from django.db.models.options import Options


class Versioned(Protocol):
    """A record that counts its writes."""

    _meta: ClassVar[Options[Any]]

    @property
    def version(self) -> int: ...


class RuleBrokenError(IntegrityError):
    """A write broke a rule that is kept in the models, as a constraint is kept in the database;
    the text says so to people. Nothing was saved."""


class StaleRecordError(Exception):
    """The record was changed or removed by somebody else since it was read; nothing was saved."""

    def __init__(self, record: Versioned) -> None:
        self.record = record
        super().__init__(
            f"{record._meta.verbose_name} {record} was changed by somebody else since it was read "
            f"(version {record.version}). Nothing was saved. Read it again and repeat the change."
        )
