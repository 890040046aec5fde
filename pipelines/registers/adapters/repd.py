"""The Renewable Energy Planning Database of the United Kingdom."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

from oegen.imports.tables.readings import DMY
from pipelines.registers.adapters.base import Adapter, Entry, Row, Unreadable, squeeze
from pipelines.registers.adapters.links import find_dated_table
from pipelines.registers.adapters.operators import shown_operator
from pipelines.registers.adapters.tables import (
    Source,
    clean_number,
    grid_point,
    read_rows,
)
from pipelines.registers.choices import RegisterOutcome as Outcome

#: The British National Grid, of Northern Ireland too.
_GRID = "27700"

_KEY, _OPERATOR, _NAME, _STATUS = (
    "Ref ID",
    "Operator (or Applicant)",
    "Site Name",
    "Development Status (short)",
)
_CAPACITY, _X, _Y = "Installed Capacity (MWelec)", "X-coordinate", "Y-coordinate"
_STORAGE_TYPE, _STORAGE_WITH = "Storage Type", "Storage Co-location REPD Ref ID"
_NEW_REF, _HEAT_REF = "Are they re-applying (New REPD Ref)", "Heat Network Ref"
_EXPIRED = "Planning Permission Expired"

#: The days of a column each, or the latest of several.
_DAYS: Mapping[str, tuple[str, ...]] = {
    "submitted": ("Planning Application Submitted",),
    "withdrawn": ("Planning Application Withdrawn", "Appeal Withdrawn"),
    "refused": ("Planning Permission Refused", "Appeal Refused", "Secretary of State - Refusal"),
    "appealed": ("Appeal Lodged",),
    "consented": (
        "Planning Permission Granted",
        "Appeal Granted",
        "Secretary of State - Granted",
    ),
    "consent_expires": (_EXPIRED,),
    "construction": ("Under Construction",),
    "operational": ("Operational",),
}

#: What stands in columns of days besides: that a consent was implemented, and that it is a prior
#: approval or permitted development, which expire otherwise.
_WORDS = frozenset({"implemented", "pag", "pang", "panr", "pd"})

_HEADINGS = (
    *("Old Ref ID", _KEY, _OPERATOR, _NAME, "Technology Type", _STORAGE_TYPE, _STORAGE_WITH),
    *(_CAPACITY, "CfD Capacity (MW)", "Turbine Capacity (MW)", "Development Status", _STATUS),
    *(_NEW_REF, "Are they re-applying (Old REPD Ref)", "Address", "County", "Region", "Country"),
    *("Post Code", _X, _Y, "Planning Authority", "Planning Application Reference"),
    *(heading for headings in _DAYS.values() for heading in headings),
    *(_HEAT_REF, "Record Last Updated (dd/mm/yyyy)"),
)
#: The reference had another name in older editions.
_OLD_KEY = "Ref"

#: What would identify a private individual.
_PERSONAL = frozenset({_OPERATOR, "Address", "Post Code", _X, _Y, _NAME})

_TECHNOLOGIES: Mapping[str, str] = {
    "solar photovoltaics": "solar",
    "wind onshore": "onshore-wind",
    "wind offshore": "offshore-wind",
    "battery": "bess",
    "small hydro": "hydro",
    "large hydro": "hydro",
    "pumped storage hydroelectricity": "hydro",
    "hydrogen": "hydrogen",
    "tidal stream": "tidal",
    "tidal lagoon": "tidal",
    "tidal barrage and tidal stream": "tidal",
}

#: Stage and outcome by the short status.
_STATUSES: Mapping[str, tuple[str, Outcome]] = {
    "application submitted": ("design", Outcome.ACTIVE),
    "appeal lodged": ("design", Outcome.ACTIVE),
    "awaiting construction": ("procurement", Outcome.ACTIVE),
    "no application required": ("procurement", Outcome.ACTIVE),
    "under construction": ("construction", Outcome.ACTIVE),
    "operational": ("completed", Outcome.BUILT),
    "finished": ("completed", Outcome.BUILT),
    "decommissioned": ("", Outcome.GONE),
    "application refused": ("", Outcome.REFUSED),
    "appeal refused": ("", Outcome.REFUSED),
    "application withdrawn": ("", Outcome.WITHDRAWN),
    "appeal withdrawn": ("", Outcome.WITHDRAWN),
    "abandoned": ("", Outcome.WITHDRAWN),
    "planning permission expired": ("", Outcome.WITHDRAWN),
    "revised": ("", Outcome.SUPERSEDED),
}

#: Regions and technologies whose points may be tens of kilometres off.
_AT_SEA = frozenset({"offshore", "wind offshore", "shoreline wave", "tidal stream", "tidal lagoon"})

_FORMULA = re.compile(r"[=+@]|.*[A-Z]{1,3}\d+:[A-Z]{1,3}\d+")
_DAY_TEXT = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")
_NUMBERS = re.compile(r"\d+")

#: The area in which a pair of coordinates is degrees, as (lowest, highest).
_LATITUDES, _LONGITUDES = (49, 62), (-12, 5)


def read(path: Path, on: date) -> Iterator[Row]:
    used: Counter[str] = Counter()
    headings = (*_HEADINGS, _OLD_KEY)
    for source in read_rows(path, headings, required=(_OPERATOR, _NAME, _STATUS)):
        if source.error:
            yield Unreadable(source.row, source.error, source.as_text())
            continue
        key = source.get(_KEY) or source.get(_OLD_KEY)
        if not key:
            reason = f"The row has no {_KEY}, so nothing says which project it is."
            is_whole = shown_operator(source.get(_OPERATOR)).text == source.get(_OPERATOR)
            text = source.as_text(frozenset() if is_whole else _PERSONAL)
            yield Unreadable(source.row, reason, text)
            continue
        used[key] += 1
        if used[key] > 1:
            source.remark(f"Another row of the edition has the reference {key}, too.")
            key = f"{key}#{used[key]}"
        yield _entry(source, key, on)


def _entry(source: Source, key: str, on: date) -> Entry:
    operator = shown_operator(source.known(_OPERATOR))
    status = source.get(_STATUS)
    dates = {
        code: day
        for code, headings in _DAYS.items()
        if (day := _latest_day(source, headings)) is not None
    }
    stage, outcome = _stage(source, status, dates, on)
    longitude, latitude = _point(source)
    kind = source.get("Technology Type")
    place = [source.get(name) for name in ("Address", "County", "Post Code")]
    is_private = operator.is_private
    left_out = _shifted(source) | {_OPERATOR, _NAME, _STATUS}
    return Entry(
        key=key,
        row=source.row,
        name=_name(source, is_private=is_private),
        operator=operator.text,
        aliases=operator.aliases,
        technology=_TECHNOLOGIES.get(kind.casefold(), ""),
        raw_technology=kind,
        capacity_mw=source.number(_CAPACITY),
        basis="ac",
        latitude=_coarse(latitude) if is_private else latitude,
        longitude=_coarse(longitude) if is_private else longitude,
        is_approximate=is_private
        or bool({kind.casefold(), source.get("Region").casefold()} & _AT_SEA),
        country="GB",
        region=source.get("Region") or source.get("County"),
        place=source.get("County") if is_private else ", ".join(filter(None, place)),
        raw_status=status,
        stage=stage,
        outcome=outcome,
        dates=dates,
        identifiers={
            name: text
            for name, heading in (
                ("planning_reference", "Planning Application Reference"),
                ("old_reference", "Old Ref ID"),
            )
            if (text := source.known(heading))
        },
        superseded_by=_references(source.known(_NEW_REF)),
        storage_with=_references(source.known(_STORAGE_WITH)),
        remarks=tuple(source.remarks),
        raw=source.kept(left_out | _PERSONAL if is_private else left_out),
        is_private=is_private,
    )


def _name(source: Source, *, is_private: bool) -> str:
    name = source.get(_NAME)
    if name:
        if _FORMULA.match(name):
            source.remark("The name is a formula of a spreadsheet.")
        return name
    if is_private:
        source.remark("The site has no name; its county is shown.")
        return source.get("County") or "Site without a name"
    source.remark("The site has no name; the first line of its address is shown.")
    first_line = source.lines.get("Address", "").strip().split("\n")[0]
    return squeeze(first_line) or "Site without a name"


def _latest_day(source: Source, headings: tuple[str, ...]) -> date | None:
    days = (source.day(heading, DMY, _WORDS) for heading in headings)
    return max(filter(None, days), default=None)


def _stage(source: Source, status: str, dates: Mapping[str, date], on: date) -> tuple[str, Outcome]:
    """A project that waits for construction is on hold where its consent has lapsed."""
    found = _STATUSES.get(status.casefold())
    if found is None:
        source.remark(f"The status “{status}” is not known here, so the project has no stage.")
        return "", Outcome.ACTIVE
    stage, outcome = found
    expires = dates.get("consent_expires")
    if stage == "procurement" and expires and expires < on:
        return stage, Outcome.ON_HOLD
    return stage, outcome


def _point(source: Source) -> tuple[Decimal | None, Decimal | None]:
    """Longitude and latitude; none where the coordinates can't be meant."""
    texts = source.get(_X), source.get(_Y)
    if not any(texts):
        return None, None
    x, y = map(clean_number, texts)
    if x is None or y is None:
        source.remark(f"The coordinates “{texts[0]}”, “{texts[1]}” are no point.")
        return None, None
    for longitude, latitude in ((x, y), (y, x)):
        if _is_between(longitude, _LONGITUDES) and _is_between(latitude, _LATITUDES):
            source.remark("The coordinates are degrees, where the register has metres.")
            return round(longitude, 6), round(latitude, 6)
    point = grid_point(x, y, _GRID)
    if point is None:
        source.remark(f"The point {texts[0]}, {texts[1]} lies outside of the British grid.")
        return None, None
    return point


def _is_between(value: Decimal, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _coarse(degrees: Decimal | None) -> Decimal | None:
    """To a kilometre or so, which finds no house."""
    return None if degrees is None else round(degrees, 2)


def _shifted(source: Source) -> frozenset[str]:
    """The columns with a value that belongs to another one; it is left out."""
    found = set()
    if _DAY_TEXT.fullmatch(source.get(_HEAT_REF)):
        found.add(_HEAT_REF)
    if source.get(_STORAGE_TYPE).isdigit():
        found.add(_STORAGE_TYPE)
    for heading in sorted(found):
        source.remark(
            f"“{source.get(heading)}” in {heading} belongs to another column, and was left out."
        )
    return frozenset(found)


def _references(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NUMBERS.findall(text)))


REPD = Adapter(
    code="repd",
    name="Renewable Energy Planning Database",
    publisher="Department for Energy Security and Net Zero",
    country="GB",
    licence_name="Open Government Licence v3.0",
    licence_url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    attribution=(
        "Contains public sector information licensed under the Open Government Licence v3.0."
    ),
    changes_note="Points were transformed to degrees; names of private individuals are left out.",
    read=read,
    index_url=(
        "https://www.gov.uk/government/publications/"
        "renewable-energy-planning-database-monthly-extract"
    ),
    find_newest=find_dated_table,
)
