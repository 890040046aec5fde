"""A figure in groups: the rows of the figure that has them, or else the figure itself for each
group's filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard.ask.lookups.base import LookupRefusedError
from dashboard.ask.lookups.figure import VALUE, Wanted, default_comparison, value_of
from dashboard.charts.bars import bucket_filters
from dashboard.figures import FIGURES
from dashboard.figures.figure import Parts
from oegen.models import User
from pipelines.filters import (
    NOBODY,
    RAGS,
    facility_country_choices,
    is_technology_family,
    technology_choices,
)
from pipelines.models import Pipeline, Stage
from pipelines.querysets import NO_DATE, OVERDUE

#: What figures can be grouped by, in words.
DIMENSIONS = {
    "stage": "stage",
    "technology": "technology",
    "country": "country",
    "rag": "RAG",
    "rtb_year": "year of ready to build",
    "holder": "holder",
    "responsible": "person responsible",
}

#: By dimensions in alphabetical order: the figure whose rows are the groups of the open capacity,
#: and the keys of a row that are the groups' codes.
_FIGURES = {
    ("stage",): ("capacity-by-status", ("status",)),
    ("technology",): ("capacity-by-technology", ("technology",)),
    ("country",): ("capacity-by-country", ("country",)),
    ("rag",): ("capacity-by-rag", ("rag",)),
    ("rtb_year",): ("capacity-by-rtb-year", ("bucket",)),
    ("holder",): ("capacity-by-counterparty", ("counterparty_id",)),
    ("rag", "stage"): ("capacity-by-status-and-rag", ("rag", "status")),
    ("stage", "technology"): ("capacity-by-technology-and-status", ("status", "technology")),
    ("rtb_year", "technology"): (
        "capacity-by-rtb-year-and-technology",
        ("bucket", "technology"),
    ),
}

#: The figures of what is open.
_OPEN = ("open-capacity", "open-pipelines")

#: The most groups that are read one by one.
MOST_GROUPS = 60

_BUCKETS = {OVERDUE: "Overdue", NO_DATE: "No date"}


@dataclass(frozen=True)
class Group:
    """``codes`` and ``labels`` are in the order of the dimensions that were asked for."""

    codes: tuple[str, ...]
    labels: tuple[str, ...]
    value: int | str | None
    pipelines: int | None
    link: str
    #: Of a holder: its key.
    counterparty: str = ""


def find_groups(wanted: Wanted, dimensions: tuple[str, ...]) -> list[Group]:
    """The groups that are not empty. Raises LookupRefusedError for groups that can't be told."""
    known = _FIGURES.get(tuple(sorted(dimensions)))
    if wanted.figure.name in _OPEN and known and _has_rows(wanted, dimensions):
        found = list(_of_rows(wanted, dimensions, *known))
    elif "holder" in dimensions:
        raise LookupRefusedError("By holder there is the open capacity alone: open-capacity.")
    else:
        found = list(_one_by_one(wanted, dimensions))
    return [one for one in found if one.value not in (None, 0, "0.000") or one.pipelines]


def _has_rows(wanted: Wanted, dimensions: tuple[str, ...]) -> bool:
    """Whether the rows have the measure: those of countries count no pipelines."""
    counts = wanted.figure.name == "open-pipelines"
    return not (counts and {"country", "holder"} & {*dimensions})


def _of_rows(
    wanted: Wanted, dimensions: tuple[str, ...], name: str, keys: tuple[str, ...]
) -> Iterator[Group]:
    figure = FIGURES[name]
    found = Wanted(figure, VALUE, wanted.query, wanted.asker, wanted.words).read_now()
    is_ended = {stage.code: stage.is_terminal for stage in Stage.objects.all()}
    labels = _labels(dimensions)
    places = [sorted(dimensions).index(one) for one in dimensions]
    for row in found.rows or []:
        if "status" in row and is_ended.get(row["status"], True):
            continue
        codes = tuple(str(row.get(keys[place]) or "") for place in places)
        names = [
            labels[one].get(code) or str(row.get("label") or code)
            for one, code in zip(dimensions, codes, strict=True)
        ]
        yield Group(
            codes,
            tuple(names),
            _value(row, wanted),
            row.get("pipelines"),
            str(row.get("url") or ""),
            str(row.get("counterparty_id") or ""),
        )


def _value(row: Parts, wanted: Wanted) -> Any:
    if "held_mw" in row:
        return row["held_mw"]
    if wanted.measure != VALUE:
        if wanted.measure not in row:
            raise LookupRefusedError(f"There is no “{wanted.measure}” of these groups.")
        return row[wanted.measure]
    return row["pipelines" if wanted.figure.name == "open-pipelines" else "capacity_mw"]


def _one_by_one(wanted: Wanted, dimensions: tuple[str, ...]) -> Iterator[Group]:
    """The figure itself, read for each group."""
    choices = [list(_choices(one, wanted)) for one in dimensions]
    cells = list(product(*choices))
    if len(cells) > MOST_GROUPS:
        raise LookupRefusedError(
            f"These are {len(cells)} groups, and {MOST_GROUPS} are read at most: filter first, or "
            "group by one of the two."
        )
    since = default_comparison()
    for cell in cells:
        query = wanted.query
        for _, _, filters in cell:
            query = narrowed(query, filters)
        one = wanted.of(query)
        yield Group(
            tuple(code for code, _, _ in cell),
            tuple(label for _, label, _ in cell),
            value_of(one.read_now(), wanted.measure),
            None,
            wanted.figure.link(one.lists, since).url,
        )


def narrowed(query: QueryDict, filters: dict[str, str]) -> QueryDict:
    """The filters of the query and these, so that both apply."""
    found = query.copy()
    both = {
        name: value for name, value in filters.items() if found.getlist(name) not in ([], [value])
    }
    for name, value in filters.items():
        if name not in both:
            found[name] = value
    if both:
        pairs = [*both.items(), *(("also", one) for one in found.getlist("also"))]
        found["also"] = urlencode(pairs)
    return found


def _choices(dimension: str, wanted: Wanted) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Code, label and filters of each group."""
    if dimension == "stage":
        for code, label in _stages().items():
            yield code, label, {"status": code}
    elif dimension == "rag":
        for code, label in RAGS:
            yield str(code), str(label), {"rag": str(code)}
    elif dimension == "country":
        for code, label in facility_country_choices():
            yield code, label, {"country": code}
    elif dimension == "technology":
        for code, label in _technologies().items():
            yield code, label, {"technology": code}
    elif dimension == "responsible":
        wanted.asker.require_personal("Those who are responsible")
        people = User.objects.filter(
            pk__in=Pipeline.objects.order_by().values("responsible")
        ).order_by("last_name", "first_name")
        for person in people:
            yield person.username, str(person), {"responsible": person.username}
        yield NOBODY, "Nobody", {"responsible": NOBODY}
    else:
        years = Wanted(
            FIGURES["capacity-by-rtb-year"], VALUE, wanted.query, wanted.asker, wanted.words
        ).read_now()
        for row in years.rows or []:
            code = str(row["bucket"])
            filters = bucket_filters(code)
            yield code, _BUCKETS.get(code, code), filters


def _stages() -> dict[str, str]:
    return dict(Stage.objects.filter(is_terminal=False).values_list("code", "name"))


def _technologies() -> dict[str, str]:
    return {
        one.code: one.label.partition(",")[0]
        for one in technology_choices()
        if not is_technology_family(one.code)
    }


def _labels(dimensions: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The names of codes, where a row of two dimensions has one label for both."""
    if len(dimensions) == 1:
        return {one: {} for one in dimensions}
    names: dict[str, dict[str, str]] = {
        "stage": _stages(),
        "technology": _technologies(),
        "rag": {str(code): str(label) for code, label in RAGS},
        "rtb_year": _BUCKETS,
    }
    return {one: names[one] for one in dimensions}
