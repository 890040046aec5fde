"""A temporary SQLite database for what an import remembers of all rows, so that memory does not
grow with the file."""

import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import models

from oegen.core.text import name_key

_TABLES = """
PRAGMA journal_mode = OFF;
CREATE TABLE claim (space TEXT, key TEXT, line INT, PRIMARY KEY (space, key)) WITHOUT ROWID;
CREATE TABLE name (space TEXT, key TEXT, id TEXT, PRIMARY KEY (space, key)) WITHOUT ROWID;
CREATE TABLE first (
    space TEXT, key TEXT, id TEXT, name TEXT, PRIMARY KEY (space, key)
) WITHOUT ROWID;
CREATE TABLE past (
    kind TEXT, moment TEXT, line INT, entity TEXT, audit_id TEXT, raw TEXT, cells TEXT
);
CREATE INDEX past_order ON past (kind, moment, line);
CREATE INDEX past_entity ON past (entity, moment, line);
CREATE TABLE recorded (model TEXT, id TEXT, PRIMARY KEY (model, id)) WITHOUT ROWID;
CREATE TABLE reference (key TEXT PRIMARY KEY, moment TEXT) WITHOUT ROWID;
BEGIN;
"""


class Scratch:
    """A private database in a temporary file, removed when it is closed."""

    def __init__(self):
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def claim(self, space: str, key: object, line: int) -> int | None:
        """Reserve a key for a line. The line that has it already, or None if it was free."""
        if self._db.execute(
            "INSERT OR IGNORE INTO claim VALUES (?, ?, ?)", (space, str(key), line)
        ).rowcount:
            return None
        found = self._db.execute(
            "SELECT line FROM claim WHERE space = ? AND key = ?", (space, str(key))
        )
        return found.fetchone()[0]

    def add_name(self, space: str, name: str, record_id: uuid.UUID) -> None:
        """Store a record's name. The first record of equal names (by ``name_key``) stays."""
        self._db.execute(
            "INSERT OR IGNORE INTO name VALUES (?, ?, ?)",
            (space, name_key(name), str(record_id)),
        )

    def id_of_name(self, space: str, name: str) -> uuid.UUID | None:
        found = self._db.execute(
            "SELECT id FROM name WHERE space = ? AND key = ?", (space, name_key(name))
        ).fetchone()
        return uuid.UUID(found[0]) if found else None

    def first_of(
        self, space: str, key: str, record_id: uuid.UUID, name: str
    ) -> tuple[uuid.UUID, str]:
        """The id and name of the first record stored with this key, which may be this one."""
        self._db.execute(
            "INSERT OR IGNORE INTO first VALUES (?, ?, ?, ?)", (space, key, str(record_id), name)
        )
        found = self._db.execute(
            "SELECT id, name FROM first WHERE space = ? AND key = ?", (space, key)
        )
        first_id, first_name = found.fetchone()
        return uuid.UUID(first_id), first_name

    def add_past(self, *, kind, moment, line, entity, audit_id, raw, cells) -> None:
        self._db.execute(
            "INSERT INTO past VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                kind,
                moment,
                line,
                str(entity),
                str(audit_id),
                json.dumps(raw),
                json.dumps(cells),
            ),
        )

    def past(self, kind: str) -> Iterator[tuple]:
        """(line, audit_id, raw, cells) of the audit's rows of a kind, oldest first."""
        rows = self._db.execute(
            "SELECT line, audit_id, raw, cells FROM past WHERE kind = ? ORDER BY moment, line",
            (kind,),
        )
        for line, audit_id, raw, cells in rows:
            yield line, audit_id, json.loads(raw), json.loads(cells)

    def past_cells(self, entity: uuid.UUID) -> Iterator[dict[str, str]]:
        """The audit's cells of one record, oldest first."""
        rows = self._db.execute(
            "SELECT cells FROM past WHERE entity = ? ORDER BY moment, line", (str(entity),)
        )
        for (cells,) in rows:
            yield json.loads(cells)

    def note_reference(self, key: object, moment: str) -> None:
        """Store that the audit refers to a record at a moment; the importers define the keys."""
        self._db.execute(
            "INSERT INTO reference VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET moment = min(moment, excluded.moment)",
            (str(key), moment),
        )

    def first_reference(self, *keys: object) -> datetime | None:
        """The earliest moment at which the audit refers to a record by one of the keys."""
        marks = ", ".join("?" * len(keys))
        (moment,) = self._db.execute(
            f"SELECT min(moment) FROM reference WHERE key IN ({marks})",  # noqa: S608
            tuple(map(str, keys)),
        ).fetchone()
        return datetime.fromisoformat(moment) if moment else None

    def mark_recorded(self, instances: Iterable[models.Model]) -> None:
        """Store the records for which this run imports history."""
        self._db.executemany(
            "INSERT OR IGNORE INTO recorded VALUES (?, ?)",
            ((instance._meta.label, str(instance.pk)) for instance in instances),
        )

    def is_recorded(self, instance: models.Model) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM recorded WHERE model = ? AND id = ?",
            (instance._meta.label, str(instance.pk)),
        )
        return found.fetchone() is not None

    def recorded(self, model: type[models.Model]) -> Iterator[uuid.UUID]:
        rows = self._db.execute("SELECT id FROM recorded WHERE model = ?", (model._meta.label,))
        for (record_id,) in rows:
            yield uuid.UUID(record_id)
