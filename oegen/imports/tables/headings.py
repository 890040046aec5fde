"""What the heading of a column, and its values, say about the field that it is."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz

from oegen.core.text import likeness_key, name_key
from oegen.imports.tables.asking import LEAVE_OUT, About, Asked, Option
from oegen.imports.tables.kinds import ID, ImportField, ImportKind
from oegen.imports.tables.reading import Value
from oegen.imports.tables.readings import parse_day, parse_number, split_unit, text_of
from oegen.imports.tables.values import Day, Number

#: How alike a heading has to be to a name of a field for a suggestion, of 100.
_ALIKE = 70
_SUGGESTIONS = 3


def heading_key(heading: str) -> str:
    """Equal for headings that differ by case, accents, punctuation and white space alone."""
    return likeness_key(heading).replace(" ", "") or name_key(heading)


def fields_by_name(kind: ImportKind) -> dict[str, ImportField]:
    """The fields by the keys of their labels, names and other names; labels come first."""
    found: dict[str, ImportField] = {}
    for names in (
        lambda one: [one.label],
        lambda one: [one.name.replace("_", " "), *one.other_names],
    ):
        for one in kind.fields.values():
            for name in names(one):
                found.setdefault(heading_key(name), one)
    return found


def question_about_column(
    kind: ImportKind, heading: str, values: Sequence[Value], taken: Set[str]
) -> Asked:
    """Which field the column is, with those first that its heading and its values look like.
    ``taken`` are the fields that other columns are."""
    scored = sorted(
        ((_likeness(heading, one), one.name) for one in kind.fields.values()), reverse=True
    )
    suggested = [name for score, name in scored if score >= _ALIKE and name not in taken][
        :_SUGGESTIONS
    ]
    suggested += [name for name in _by_content(kind, values) if name not in {*suggested, *taken}]
    others = [name for name in kind.fields if name not in suggested]
    options = [Option(name, kind.fields[name].label, is_likely=True) for name in suggested]
    options += [Option(name, kind.fields[name].label) for name in others]
    return Asked(
        key=f"column:{heading}",
        about=About.COLUMN,
        text=f"What is the column “{heading}”? No field of {kind.label} has that name.",
        options=(*options, Option(LEAVE_OUT, "Leave it out")),
        suggestion=suggested[0] if suggested else "",
        heading=heading,
        examples=tuple(text_of(value)[:60] for value in values[:3]),
    )


def _likeness(heading: str, one: ImportField) -> float:
    bare = likeness_key(heading)
    names = (one.label, one.name.replace("_", " "), *one.other_names)
    return max(fuzz.token_sort_ratio(bare, likeness_key(name)) for name in names)


def _by_content(kind: ImportKind, values: Sequence[Value]) -> list[str]:
    """The names of the fields that these values look like: ids, days, numbers with a unit."""
    texts = [text_of(value) for value in values[:50]]
    if not texts:
        return []
    if all(map(_is_id, texts)):
        return [ID]
    if all("@" in text for text in texts):
        return [one.name for one in kind.fields.values() if one.stored_as == "email"]
    if all(_parses(lambda text: parse_day(text, "dmy"), text) for text in texts):
        return [one.name for one in kind.fields.values() if isinstance(one.reads, Day)]
    if all(_parses(lambda text: parse_number(split_unit(text)[0], "."), text) for text in texts):
        return [one.name for one in kind.fields.values() if isinstance(one.reads, Number)][:2]
    return []


def _is_id(text: str) -> bool:
    return _parses(UUID, text)


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True
