"""The file of a preview: what its pages show of a plan, found by section, column and text.

It is an SQLite database, written whole and then only read. A page of a section is found by rank
and its total is stored, so that neither depends on the number of rows. Filtered, one scan of the
section's texts gives both.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, overload
from urllib.parse import quote

from oegen.core.folding import fold
from oegen.imports.tables.asking import KEEP, TAKE, Asked
from oegen.imports.tables.plans import Plan, RowPlan, RowState

#: The rows of a question that are named.
_NAMED = 5

_SCHEMA = """
CREATE TABLE item (
    section TEXT, rank INTEGER, columns TEXT, text TEXT, PRIMARY KEY (section, rank)
) WITHOUT ROWID;
CREATE TABLE content (
    section TEXT, rank INTEGER, json TEXT, PRIMARY KEY (section, rank)
) WITHOUT ROWID;
CREATE TABLE total (section TEXT, heading TEXT, number INTEGER, PRIMARY KEY (section, heading));
CREATE TABLE open (
    key TEXT PRIMARY KEY, family TEXT, suggestion TEXT, options TEXT
) WITHOUT ROWID;
"""

#: The heading under which a section's total stands.
_ALL = ""

#: The heading of what is about no column.
WHOLE_ROW = "Whole row"

#: The family of the choices between what others wrote and what the file says.
CONFLICT = "conflict"


class Section(StrEnum):
    """The kinds of items. Rows are those that are created, changed or left out; of errors,
    conflicts and questions a row may have several, and a question several rows."""

    CREATED = "created"
    CHANGED = "changed"
    CONFLICTS = "conflicts"
    ERRORS = "errors"
    QUESTIONS = "questions"
    MISSING = "missing"
    LEFT_OUT = "left-out"


_ROWS = {
    RowState.CREATED: Section.CREATED,
    RowState.CHANGED: Section.CHANGED,
    RowState.LEFT_OUT: Section.LEFT_OUT,
}


@dataclass(frozen=True)
class Open:
    """A choice that is still to be made: the answer to a question, or a side of a conflict."""

    key: str
    family: str
    suggestion: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """The open choices that may be made together; ``suggested`` have a likeliest answer."""

    code: str
    number: int
    suggested: int


# Writing --------------------------------------------------------------------------------------


def write(plan: Plan, path: Path) -> None:
    """Write what pages show of the plan, in the place of what stood there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        made = Path(file.name)
    try:
        with closing(sqlite3.connect(made)) as connection:
            connection.executescript(f"PRAGMA synchronous = OFF;{_SCHEMA}")
            _Writer(connection).write(plan)
            connection.commit()
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


class _Writer:
    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection
        self.totals: Counter[tuple[str, str]] = Counter()

    def write(self, plan: Plan) -> None:
        questions: dict[str, tuple[Asked, list[RowPlan]]] = {}
        for row in plan.rows:
            self._add_row(row)
            for asked in row.asked:
                questions.setdefault(asked.key, (asked, []))[1].append(row)
        for asked, rows in questions.values():
            self._add_question(asked, rows)
        for missing in plan.missing:
            self._add(Section.MISSING, [], [missing.name], asdict(missing))
        self.connection.executemany(
            "INSERT INTO total VALUES (?, ?, ?)",
            [(section, heading, number) for (section, heading), number in self.totals.items()],
        )

    def _add_row(self, row: RowPlan) -> None:
        about = {"number": row.number, "name": row.name, "record": row.record}
        if section := _ROWS.get(row.state):
            cells = [
                {"place": cell.place, "label": cell.label, "old": cell.old, "new": cell.new}
                for cell in row.cells
            ]
            texts = [row.name, *(text for cell in row.cells for text in (cell.old, cell.new))]
            headings = [cell.label for cell in row.cells]
            self._add(section, headings, texts, {**about, "cells": cells})
        for problem in row.problems:
            texts = [row.name, problem.value, problem.message]
            heading = problem.heading or WHOLE_ROW
            self._add(Section.ERRORS, [heading], texts, {**about, **asdict(problem)})
        for one in row.conflicts:
            texts = [row.name, one.base, one.theirs, one.mine]
            self._add(Section.CONFLICTS, [one.label], texts, {**about, **asdict(one)})
            self._add_open(Open(one.key, CONFLICT, "", (KEEP, TAKE)))

    def _add_question(self, asked: Asked, rows: list[RowPlan]) -> None:
        names = dict.fromkeys(row.name for row in rows if row.name)
        content = {
            "key": asked.key,
            "family": asked.family,
            "text": asked.text,
            "options": [[one.value, one.label] for one in asked.options],
            "suggestion": asked.suggestion,
            "rows": [row.number for row in rows[:_NAMED]],
            "row_count": len(rows),
            "names": list(names)[:_NAMED],
        }
        labels = [one.label for one in asked.options]
        self._add(Section.QUESTIONS, [], [asked.text, *names, *labels], content)
        options = tuple(one.value for one in asked.options)
        self._add_open(Open(asked.key, asked.family, asked.suggestion, options))

    def _add_open(self, one: Open) -> None:
        self.connection.execute(
            "INSERT OR IGNORE INTO open VALUES (?, ?, ?, ?)",
            (one.key, one.family, one.suggestion, json.dumps(one.options)),
        )

    def _add(
        self, section: Section, headings: Iterable[str], texts: Iterable[str], content: object
    ) -> None:
        named = dict.fromkeys(headings)
        rank = self.totals[section, _ALL]
        for heading in (_ALL, *named):
            self.totals[section, heading] += 1
        columns = "".join(f"\n{heading}\n" for heading in named)
        self.connection.execute(
            "INSERT INTO item VALUES (?, ?, ?, ?)", (section, rank, columns, fold(" ".join(texts)))
        )
        self.connection.execute(
            "INSERT INTO content VALUES (?, ?, ?)",
            (section, rank, json.dumps(content, ensure_ascii=False)),
        )


# Reading --------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[PreviewFile]:
    """The file of a preview. Raises FileNotFoundError if it is not kept any more."""
    if not path.exists():
        raise FileNotFoundError(path)
    address = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        yield PreviewFile(connection)


class PreviewFile:
    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection

    def totals(self) -> dict[str, int]:
        """The number of items by section, all sections named."""
        rows = self._connection.execute(
            "SELECT section, number FROM total WHERE heading = ?", (_ALL,)
        )
        return dict.fromkeys(map(str, Section), 0) | dict(rows)

    def headings(self, section: Section) -> list[tuple[str, int]]:
        """The columns that items of the section are about, with the number of items."""
        rows = self._connection.execute(
            "SELECT heading, number FROM total WHERE section = ? AND heading != ? ORDER BY rowid",
            (section, _ALL),
        )
        return list(rows)

    def items(self, section: Section, heading: str = "", text: str = "") -> Items:
        """The items of the section about the column, with the text."""
        if not (heading or text):
            return Items(self._connection, section, range(self.totals()[section]))
        found = self._connection.execute(
            "SELECT rank FROM item WHERE section = ? AND instr(columns, ?) AND instr(text, ?) "
            "ORDER BY rank",
            (section, f"\n{heading}\n" if heading else "", fold(text)),
        )
        return Items(self._connection, section, [rank for (rank,) in found])

    def contents(self, section: Section) -> Iterator[dict[str, Any]]:
        """All items of the section, in the order of the rows."""
        rows = self._connection.execute(
            "SELECT json FROM content WHERE section = ? ORDER BY rank", (section,)
        )
        for (content,) in rows:
            yield json.loads(content)

    def families(self) -> dict[str, Family]:
        rows = self._connection.execute(
            "SELECT family, COUNT(*), SUM(suggestion != '') FROM open GROUP BY family"
        )
        return {code: Family(code, *numbers) for code, *numbers in rows}

    def open_keys(self) -> set[str]:
        return {key for (key,) in self._connection.execute("SELECT key FROM open")}

    def open_among(self, keys: Iterable[str]) -> Iterator[Open]:
        for key in keys:
            yield from self._open("key = ?", key)

    def open_of(self, family: str) -> Iterator[Open]:
        yield from self._open("family = ?", family)

    def _open(self, condition: str, value: str) -> Iterator[Open]:
        rows = self._connection.execute(
            f"SELECT key, family, suggestion, options FROM open WHERE {condition}",  # noqa: S608
            (value,),
        )
        for key, family, suggestion, options in rows:
            yield Open(key, family, suggestion, tuple(json.loads(options)))


class Items(Sequence[dict[str, Any]]):
    """Items by their ranks, read where they are asked for; a page of them is a slice."""

    def __init__(self, connection: sqlite3.Connection, section: Section, ranks: Sequence[int]):
        self._connection = connection
        self._section = section
        self._ranks = ranks

    def __len__(self) -> int:
        return len(self._ranks)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(place, int):
            return self._read([self._ranks[place]])[0]
        return self._read(self._ranks[place])

    def _read(self, ranks: Sequence[int]) -> list[dict[str, Any]]:
        marks = ", ".join("?" * len(ranks))
        rows = self._connection.execute(
            f"SELECT json FROM content WHERE section = ? AND rank IN ({marks}) ORDER BY rank",  # noqa: S608
            (self._section, *ranks),
        )
        return [json.loads(content) for (content,) in rows]
