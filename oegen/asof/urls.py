"""The day in addresses: every way on from a past page keeps it."""

from __future__ import annotations

import re
from datetime import date

#: The parameter of every page's address.
PARAMETER = "as_of"

#: Days before it can't be asked for: no record of anybody's is as old.
FIRST_DAY = date(2000, 1, 1)

#: Every attribute in which a page has an address of this site. A past page keeps its day in them
#: (``keep_day_in``); a test looks for others in all templates.
URL_ATTRIBUTES = ("href", "action", "hx-get", "data-source", "data-map-source", "data-suggest")

#: Where files and the admin are, which know no past, and other sites.
_PRESENT = re.compile(r"/(?:/|static/|admin/|login/|logout/)|[^/]")


def keep_day(address: str, day: date | None) -> str:
    """An address of this site, with the day."""
    if not day or _PRESENT.match(address) or f"{PARAMETER}=" in address:
        return address
    page, mark, fragment = address.partition("#")
    joint = "&" if "?" in page else "?"
    return f"{page}{joint}{PARAMETER}={day}{mark}{fragment}"


_TAG = re.compile(r"<[a-z][^<>]*>")
_WAY_ON = re.compile(rf'(\s(?:{"|".join(URL_ATTRIBUTES)})=")(/[^"]*)(")')


def keep_day_in(html: str, day: date) -> str:
    """The page with the day in every link and every form that leads on. What people wrote can't
    pose as one, because it is escaped."""

    def keep(match: re.Match) -> str:
        tag = match[0]
        if tag.startswith("<form") and 'method="get"' in tag:
            return f'{tag}<input type="hidden" name="{PARAMETER}" value="{day}">'
        return _WAY_ON.sub(lambda one: f"{one[1]}{_kept(one[2])}{one[3]}", tag)

    def _kept(address: str) -> str:
        return keep_day(address, day).replace(f"&{PARAMETER}", f"&amp;{PARAMETER}")

    return _TAG.sub(keep, html)
