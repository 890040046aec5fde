"""JSON schemas of the lookups' arguments, made from the filter sets and the registry of figures.

They are strict: every property is required, and one that is not wanted is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from dashboard.ask.lookups.base import Asker, Schema
from oegen import asof
from oegen.api.rest.filters import parameters_of
from oegen.core.caching import keep
from oegen.pages.filters import MINE, PageFilterSet
from oegen.pages.selection import NOT, SelectionFilter

#: The most choices that a schema lists; of more it takes any text.
MOST_CHOICES = 80

#: Parameters that only links set.
LINKS_ONLY = frozenset({"also", "held_by_others", "way"})

#: Filters whose choices are people.
PEOPLE = frozenset({"responsible", "owner", "person"})


def strict(properties: dict[str, Schema], description: str = "") -> Schema:
    about = {"description": description} if description else {}
    return {
        "type": "object",
        **about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def optional(schema: Schema) -> Schema:
    """The schema, or null. An enumeration has null among its values, as strict schemas want it."""
    found = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found


def day(description: str) -> Schema:
    return optional(text(f"{description} A day as year-month-day."))


def one_of(names: Iterable[str], description: str) -> Schema:
    return text(description, enum=list(names))


def filters_of(
    filterset_class: type[PageFilterSet], asker: Asker, others: dict[str, Schema] | None = None
) -> Schema:
    """The filters of a page as an object. People are named only to those who may read that."""
    properties: dict[str, Schema] = dict(others or {})
    choices = keep(
        partial(_choices, filterset_class),
        *("ask choices", filterset_class.__name__, asof.data_version()),
    )
    for parameter in parameters_of(filterset_class):
        name = parameter["name"]
        if name in LINKS_ONLY:
            continue
        schema = {**parameter["schema"], "description": parameter["description"]}
        # Strict schemas know neither of these.
        for key in ("format", "maxLength"):
            schema.pop(key, None)
        own = choices.get(name.removesuffix(NOT))
        if schema["type"] == "array":
            if name.removesuffix(NOT) in PEOPLE and not asker.may_read_personal:
                own = [(MINE, "whoever asks")]
            schema["items"] = _items(own or [])
            schema["description"] = _described(schema["description"], own or [])
        properties[name] = optional(schema)
    return optional(strict(properties, "The page's filters; null where one is not wanted."))


def _items(choices: Sequence[tuple[str, str]]) -> Schema:
    if not choices or len(choices) > MOST_CHOICES:
        return {"type": "string"}
    return {"type": "string", "enum": [code for code, _ in choices]}


def _described(description: str, choices: Sequence[tuple[str, str]]) -> str:
    label = description.partition(" Codes")[0]
    named = [f"{code} ({name})" for code, name in choices if code != name]
    if not named or len(named) > MOST_CHOICES:
        return label
    return f"{label} {', '.join(named)}."


def _choices(filterset_class: type[PageFilterSet]) -> dict[str, list[tuple[str, str]]]:
    """Codes and labels of each filter with several choices."""
    filterset = filterset_class()
    return {
        name: [(one.code, one.label) for one in filterset.form.fields[name].choices]
        for name, given in filterset.filters.items()
        if isinstance(given, SelectionFilter)
    }
