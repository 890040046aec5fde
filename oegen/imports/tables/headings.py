"""Headings of columns: the fields that they name, or may mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz

from oegen.core.text import likeness_key
from oegen.imports.tables.asking import LEAVE_OUT, About, Asked, Option
from oegen.imports.tables.kinds import ID, ImportField, ImportKind
from oegen.imports.tables.reading import Table, Value
from oegen.imports.tables.readings import parse_day, parse_number, split_unit, text_of
from oegen.imports.tables.values import Day, Number

#: How alike a heading has to be to a name of a field for a suggestion, of 100.
_ALIKE = 70
_SUGGESTIONS = 3

#: A unit at the end of a heading: “Capacity (MW)”, “Storage, MWh”.
_UNIT_AT_END = re.compile(r"(\s*[(\[][^)\]]*[)\]]|\s*,[^,]*)\s*$")


def heading_key(heading: str) -> str:
    """Equal for headings that differ by case, accents, punctuation and white space alone."""
    return likeness_key(heading).replace(" ", "")


def bare_key(heading: str) -> str:
    """The key of a heading without its unit."""
    return heading_key(_UNIT_AT_END.sub("", heading))


def headings_of(table: Table) -> list[str]:
    """A heading for each column of the table, no two the same: a column without a name, and each
    further one of the same name, also has its letter."""
    found: list[str] = []
    seen: set[str] = set()
    for head in table.columns:
        key = heading_key(head.name)
        if not head.name:
            found.append(f"column {head.letter}")
        elif key in seen:
            found.append(f"{head.name} (column {head.letter})")
        else:
            found.append(head.name)
        seen.add(key)
    return found


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


def question_about(
    kind: ImportKind,
    heading: str,
    values: Sequence[Value],
    *,
    named: ImportField | None,
    taken: Collection[str],
) -> Asked:
    """Which field a column is; those ``taken`` are offered, but not suggested. ``named`` is the one
    that its heading names, if another column is that."""
    scored = sorted(
        (
            (_likeness(heading, one), one.name)
            for one in kind.fields.values()
            if one.name not in taken
        ),
        reverse=True,
    )
    suggested = [name for score, name in scored[:_SUGGESTIONS] if score >= _ALIKE]
    suggested += [name for name in _by_content(kind, values) if name not in {*suggested, *taken}]
    others = [name for name in kind.fields if name not in suggested]
    options = [Option(name, kind.fields[name].label) for name in [*suggested, *others]]
    why = f"No field of {kind.label} has that name."
    if named is not None:
        why = f"Another column is read as {named.label} already."
    return Asked(
        key=f"column:{heading}",
        about=About.COLUMN,
        text=f"What is the column “{heading}”? {why}",
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
