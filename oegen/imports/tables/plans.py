"""What an import would do: its rows, what each changes, and what stands against it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from oegen.audit.audited import AuditedModel
from oegen.audit.choices import CHANGED, CREATED
from oegen.audit.questions import Question
from oegen.imports.tables.asking import Asked


class RowState(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    CONFLICTING = "conflicting"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that differs. ``place`` is the column of the file, None if it is no cell of it."""

    place: int | None
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is refused: the column, the value there, and a sentence that says what would be
    right."""

    place: int | None
    heading: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that the file and somebody else changed since it was exported. ``key`` is that of the
    choice between KEEP (theirs) and TAKE (the file's).

    ``holder`` is the record with their value, as “label:id”, and ``attribute`` the name of its
    field, empty if the value is more than a field.
    """

    key: str
    place: int | None
    label: str
    base: str
    theirs: str
    mine: str
    holder: str = ""
    attribute: str = ""


@dataclass(slots=True)
class RowPlan:
    """A row. ``number`` is its line or row in the file; ``name`` and ``record`` are those of its
    record, which may be new."""

    number: int
    state: RowState = RowState.UNCHANGED
    name: str = ""
    record: str = ""
    cells: list[Cell] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def is_plain(self) -> bool:
        """Whether it changes nothing, and nothing stands against it."""
        return not (self.cells or self.problems or self.conflicts or self.asked)

    @property
    def is_written(self) -> bool:
        return self.state in (RowState.CREATED, RowState.CHANGED)

    @property
    def is_refused(self) -> bool:
        return self.state in (RowState.REFUSED, RowState.CONFLICTING)


@dataclass(frozen=True, slots=True)
class Origin:
    """The cell that a value came from."""

    row: int
    place: int | None
    heading: str
    text: str


@dataclass(slots=True)
class Planned:
    """A record that is to be created, changed or removed (``action``).

    ``version`` is that which was read. ``origins`` are the cells of its values, by attribute;
    ``unreadable`` the attributes whose cells could not be read, of which nothing else needs to be
    said; ``setters`` the rows that set any, ``users`` those that need the record.
    """

    record: AuditedModel
    action: str
    version: int
    changed: set[str] = field(default_factory=set)
    origins: dict[str, Origin] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    setters: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)
    answered: list[Question] = field(default_factory=list)
    #: Whether something stands against the record itself, so that no row that needs it is written.
    is_refused: bool = False

    @property
    def is_new(self) -> bool:
        return self.action == CREATED

    @property
    def has_effect(self) -> bool:
        return self.action != CHANGED or bool(self.changed)


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that the source had before and the file has no more. It stays."""

    record: str
    name: str


@dataclass
class Plan:
    """``questions`` about columns and formats have to be answered before there are any rows;
    ``refusal`` says why the whole file can't be imported."""

    rows: list[RowPlan] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    questions: tuple[Asked, ...] = ()
    missing: list[Missing] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    refusal: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by state, all states named."""
        counted = Counter(row.state for row in self.rows)
        return {state.value: counted[state] for state in RowState}

    @property
    def refused(self) -> int:
        """The rows that are refused, wait for an answer, or conflict."""
        return sum(row.is_refused for row in self.rows)

    def problems(self) -> Iterator[tuple[int, Problem]]:
        for row in self.rows:
            for problem in row.problems:
                yield row.number, problem

    def asked(self) -> Iterator[Asked]:
        yield from self.questions
        for row in self.rows:
            yield from row.asked

    def digest(self) -> str:
        """Equal for plans that do the same to the same versions of records."""
        found = hashlib.sha256()
        for row in self.rows:
            cells = [(cell.label, cell.old, cell.new) for cell in row.cells]
            found.update(json.dumps([row.number, row.state, row.record, cells]).encode())
        for one in self.planned:
            if one.has_effect:
                facts = [one.action, str(one.record.pk), one.version, sorted(one.changed)]
                found.update(json.dumps(facts).encode())
        return found.hexdigest()


def by_rows(planned: Iterable[Planned]) -> dict[int, list[Planned]]:
    """The records by the rows that need or set them."""
    found: dict[int, list[Planned]] = {}
    for one in planned:
        for row in one.users | one.setters:
            found.setdefault(row, []).append(one)
    return found
