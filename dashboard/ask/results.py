"""What a model or another program gets of a lookup: plain data.

Texts of records may say anything, also what looks like an instruction. They only ever stand inside
JSON strings, cut at 300 characters.
"""

from __future__ import annotations

import re
from typing import Any

from counterparties.models import Contact
from dashboard.ask.findings import Found, cell_json
from dashboard.ask.lookups import Asker
from oegen import asof
from oegen.core.caching import keep
from oegen.core.text import SURROGATE
from oegen.models import User

#: The most characters of a text.
MOST_TEXT = 300

#: What stands for the name of a person who must not be named.
SOMEBODY = "[a person]"


def plain(found: Found, asker: Asker) -> dict[str, Any]:
    """What was found, with the known facts of a record; without people's names, unless the asker
    may read them."""
    values = found.as_json()
    if found.facts:
        values["facts"] = {
            name: [cell_json(cell) for cell in cells] for name, cells in found.facts.items()
        }
    found_values: dict[str, Any] = limited(values, asker)
    return found_values


def limited(values: Any, asker: Asker) -> Any:
    """Plain data with its texts cut, and without people's names."""
    return _cut(values, None if asker.may_read_personal else people())


def _cut(value: Any, names: re.Pattern[str] | None) -> Any:
    if isinstance(value, dict):
        return {key: _cut(one, names) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(one, names) for one in value]
    if isinstance(value, str):
        return cut(names.sub(SOMEBODY, value) if names else value)
    return value


def clean(text: str) -> str:
    """The text as it can be sent and stored: without null characters and unpaired surrogates."""
    return SURROGATE.sub("�", text.replace("\x00", ""))


def cut(text: str) -> str:
    text = clean(text)
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def people() -> re.Pattern[str] | None:
    """Matches the full names of accounts and of contacts, removed ones included."""
    return keep(_people, "ask people", asof.data_version(), User.objects.count())


def _people() -> re.Pattern[str] | None:
    names = {str(one) for one in User.objects.all()}
    names |= {*Contact.history.order_by().values_list("name", flat=True).distinct()}
    full = sorted((name for name in names if " " in name.strip()), key=len, reverse=True)
    if not full:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, full))})(?!\w)", re.IGNORECASE)
