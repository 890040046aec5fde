"""Finding the newest edition on a publisher's page, or in the answer of its catalogue."""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from pipelines.registers.adapters.base import Found

#: What the address of a table ends with.
TABLE_ENDINGS = (".csv", ".xlsx")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(
    r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ _\-,]*(20\d\d)",
    re.IGNORECASE,
)
_QUARTER = re.compile(r"(?<![a-z])q([1-4])[ _\-]*(20\d\d)", re.IGNORECASE)
_DAY = re.compile(r"(?<!\d)(20\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_NUMBERED_MONTH = re.compile(r"(?<!\d)(20\d\d)[-_](0[1-9]|1[0-2])(?!\d)")


class _Links(HTMLParser):
    """The addresses of a page's links, each with its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._address = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._address, self._text = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address:
            self.found.append((self._address, " ".join("".join(self._text).split())))
            self._address = ""


def find_dated_table(body: bytes, url: str) -> Found | None:
    """The table with the latest day, month or quarter in the text or the address of its link."""
    page = _Links()
    page.feed(body.decode("utf-8", errors="replace"))
    dated = []
    for address, text in page.found:
        path = unquote(urlsplit(address).path)
        if not path.lower().endswith(TABLE_ENDINGS):
            continue
        if day := named_day(text) or named_day(path.rpartition("/")[2]):
            dated.append(Found(urljoin(url, address), day))
    return max(dated, key=lambda found: found.date, default=None)


def find_in_catalogue(body: bytes, url: str) -> Found | None:
    """The newest table among the resources of a data package, as CKAN describes it."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    dated = [
        Found(urljoin(url, address), day)
        for resource in _resources(answer)
        if (address := str(resource.get("path") or resource.get("url") or ""))
        and urlsplit(address).path.lower().endswith(TABLE_ENDINGS)
        and (day := _resource_day(resource))
    ]
    return max(dated, key=lambda found: found.date, default=None)


def _resources(answer: Any) -> Iterator[dict[str, Any]]:
    package = answer.get("result", answer) if isinstance(answer, dict) else {}
    resources = package.get("resources", []) if isinstance(package, dict) else []
    return (one for one in resources if isinstance(one, dict))


def _resource_day(resource: dict[str, Any]) -> date | None:
    for name in ("last_modified", "modified", "created"):
        try:
            return date.fromisoformat(str(resource.get(name) or "")[:10])
        except ValueError:
            continue
    return named_day(str(resource.get("title") or resource.get("name") or ""))


def named_day(text: str) -> date | None:
    """The day that a text names; of a month or a quarter the last one."""
    if found := _DAY.search(text):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None
    if found := _NUMBERED_MONTH.search(text):
        return _last_day(int(found[1]), int(found[2]))
    if found := _MONTH.search(text):
        return _last_day(int(found[2]), _MONTHS.index(found[1].lower()) + 1)
    if found := _QUARTER.search(text):
        return _last_day(int(found[2]), 3 * int(found[1]))
    return None


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])
