"""Findings of the integrity checks, and the names of the rows they are about."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as setting
from datetime import datetime

from oegen.audit import seals
from oegen.audit.audited import AuditedModel
from oegen.audit.registry import Row


@dataclass(frozen=True)
class Finding:
    """A violation of the history's integrity; ``where`` names the record, table or change set.

    ``field``, ``now`` and ``recorded`` are set if two values differ. ``evidence`` is part of the
    fingerprint, so that an acknowledgement is valid for exactly what was found.
    """

    where: str
    what: str
    field: str = ""
    now: str = ""
    recorded: str = ""
    evidence: str = setting(default="", compare=False)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}"
        if self.field:
            text += f": {self.field} is {self.now}, recorded is {self.recorded}"
        # A damaged text may contain characters that can't be printed.
        return text.encode("utf-8", "backslashreplace").decode()

    @property
    def fingerprint(self) -> str:
        return seals.hash_of([str(self), self.evidence])


def record_name(model: type[AuditedModel], row: Row) -> str:
    """The kind of record, its name if it has one, and its id."""
    noun = str(model._meta.verbose_name).capitalize()
    if not model.PARENT_FIELD:
        try:
            return f"{noun} “{getattr(row, 'instance', row)}” ({row.id})"
        except Exception:  # noqa: S110 - a damaged value in its name; the id is enough
            pass
    return f"{noun} {row.id}"


def entry_name(row: Row) -> str:
    name, time = record_name(row.instance_type, row), format_time(row.history_date)
    return f"{name}, version {row.version}, {time}"


def format_time(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else "at an unreadable time"
