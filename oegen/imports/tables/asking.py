"""Questions about a file that people answer: which column, format, value or record is meant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    COLUMN = "column"
    FORMAT = "format"
    MATCH = "match"
    GROUP = "group"
    RECORD = "record"


#: Answers that several questions have. As column: it is left out; as value: its row is.
LEAVE_OUT = "-"
NEW, KEEP, TAKE = "new", "keep", "take"


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    is_likely: bool = False


@dataclass(frozen=True)
class Asked:
    """A question. ``key`` identifies the answer among the choices of an import; ``suggestion`` is
    the value of the likeliest option, empty if none is. ``row`` is the number of the row that it is
    about, 0 for the whole column."""

    key: str
    about: About
    text: str
    options: tuple[Option, ...] = ()
    suggestion: str = ""
    heading: str = ""
    row: int = 0
    examples: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The kind of question: those of one may be answered together."""
        return family_of(self.key)

    def answer(self, choices: dict[str, str]) -> str:
        """The answer among the choices, empty if there is none that the question offers."""
        given = choices.get(self.key, "")
        return given if any(option.value == given for option in self.options) else ""


def family_of(key: str) -> str:
    """The family of a question about rows, such as “match:facility”, “add:counterparties”."""
    match key.split(":"):
        case ["match", _, part]:
            return f"match:{part}"
        case ["add", kind, *_]:
            return f"add:{kind}"
        case [kind, _, *_]:
            return kind
    return key.rpartition("-")[0] or key


def is_about_rows(key: str) -> bool:
    """Whether the choice is about a row or a record, not about how columns are read."""
    kind = key.partition(":")[0]
    return kind in _ROW_KINDS if ":" in key else kind != "source"


_ROW_KINDS = frozenset({"match", "add", "group", "rename", "conflict"})
