"""The past day in URLs: links on a past page keep it."""

from __future__ import annotations

import re
from datetime import date

#: The query parameter with the day.
PARAMETER = "as_of"

#: The earliest day that can be shown.
FIRST_DAY = date(2000, 1, 1)

#: All HTML attributes with URLs of this site, to which ``keep_day_in`` adds the day. A test checks
#: that templates use no others.
URL_ATTRIBUTES = (
    *("href", "action", "hx-get"),
    *("data-source", "data-map-source", "data-suggest", "data-palette"),
)

#: URLs without a past: static files, the admin, signing in and out, and other sites.
_PRESENT = re.compile(r"/(?:/|static/|admin/|login/|logout/)|[^/]")


def keep_day(address: str, day: date | None) -> str:
    """Add the day to a URL of this site."""
    if not day or _PRESENT.match(address) or f"{PARAMETER}=" in address:
        return address
    page, mark, fragment = address.partition("#")
    joint = "&" if "?" in page else "?"
    return f"{page}{joint}{PARAMETER}={day}{mark}{fragment}"


_TAG = re.compile(r"<[a-z][^<>]*>")
_LINK = re.compile(rf'(\s(?:{"|".join(URL_ATTRIBUTES)})=")(/[^"]*)(")')


def keep_day_in(html: str, day: date) -> str:
    """Add the day to all links and forms of an HTML page. User input can't be mistaken for a tag,
    because it is escaped."""

    def keep(match: re.Match) -> str:
        tag = match[0]
        if tag.startswith("<form") and 'method="get"' in tag:
            return f'{tag}<input type="hidden" name="{PARAMETER}" value="{day}">'
        if '="/' not in tag:
            return tag
        return _LINK.sub(lambda one: f"{one[1]}{with_day(one[2])}{one[3]}", tag)

    def with_day(address: str) -> str:
        return keep_day(address, day).replace(f"&{PARAMETER}", f"&amp;{PARAMETER}")

    return _TAG.sub(keep, html)
