"""What an adapter makes of the rows of a register's file, and what it says about the register."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.registers.choices import RegisterOutcome

PRIVATE_INDIVIDUAL = "Private individual"

#: The days of an entry by their code, with what each means.
DATES: Mapping[str, str] = {
    "submitted": "Application submitted",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
    "appealed": "Appeal lodged",
    "consented": "Consented",
    "consent_expires": "Consent expires",
    "construction": "Construction begun",
    "operational": "In operation",
    "expected": "Expected to be in operation",
    "grid": "Grid connection effective",
    "decommissioned": "Decommissioned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A project as one edition has it.

    ``technology`` and ``stage`` are codes of ours, empty where a register's word has no equal;
    ``raw_technology`` and ``raw_status`` are the register's words, with white space squeezed.
    ``operator`` is as published, in one line, and PRIVATE_INDIVIDUAL if ``is_private``; nobody is
    empty. ``aliases`` are the former names in it. ``basis`` says where ``capacity_mw`` is measured.
    ``dates`` are by the codes of DATES. ``identifiers`` are by kind, such as “operator_number”.
    ``storage_with`` and ``superseded_by`` are keys of this register, which may have no entry.
    ``remarks`` say in sentences what is odd about the row. ``raw`` is what else the row says, by
    heading, without what would identify a private individual. ``row`` is its line in the file.
    """

    key: str
    name: str
    row: int = 0
    operator: str = ""
    aliases: tuple[str, ...] = ()
    technology: str = ""
    raw_technology: str = ""
    capacity_mw: Decimal | None = None
    basis: str = ""
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    is_approximate: bool = False
    country: str = ""
    region: str = ""
    place: str = ""
    raw_status: str = ""
    stage: str = ""
    outcome: str = RegisterOutcome.ACTIVE
    dates: Mapping[str, date] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    superseded_by: tuple[str, ...] = ()
    storage_with: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    raw: Mapping[str, str] = field(default_factory=dict)
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no entry: its line, the sentence that says why, and its text."""

    row: int
    reason: str
    text: str


Row = Entry | Unreadable


@dataclass(frozen=True)
class Found:
    """An edition at a publisher's address."""

    url: str
    date: date


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """How the files of one register are read, and the facts about it.

    ``read`` streams the rows of a file; the day is the edition's, by which a consent may have
    lapsed. It raises UnreadableFileError for a file that is no edition of the register.
    ``find_newest`` looks for the newest edition in what ``index_url`` answered, whose address it
    gets for relative links; None if there is none. ``by_hand`` says in a sentence how to get a file
    of a register that offers none to programs.
    """

    code: str
    name: str
    publisher: str
    country: str
    licence_name: str
    licence_url: str
    attribution: str
    changes_note: str
    read: Callable[[Path, date], Iterator[Row]]
    index_url: str = ""
    find_newest: Callable[[bytes, str], Found | None] | None = None
    by_hand: str = ""


def squeeze(text: str) -> str:
    """The text in one line with single spaces, without the sign of a lost letter at either end,
    where it mostly was a space that does not break. Inside the text it stays."""
    return " ".join(text.split()).strip("\ufffd ")
