"""The sections of a preview as its page shows them: tabs, filters, and one page of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import BadRequest
from django.core.paginator import Page, Paginator
from django.http import QueryDict

from oegen.audit.audited import AuditedModel
from oegen.audit.changesets import ChangeSet
from oegen.audit.narrative.names import NameCache
from oegen.audit.registry import history_model
from oegen.imports.tables.asking import KEEP, LEAVE_OUT, NEW, TAKE
from oegen.imports.tables.kinds import ImportKind
from oegen.imports.tables.models import TableImport
from oegen.imports.tables.preview_file import Family, PreviewFile, Section

#: Answers that may be given to several questions at once: value and label.
Options = tuple[tuple[str, str], ...]

#: The number of items per page.
PAGE_SIZE = 50

#: The sections in the order of their tabs: first what has to be decided or corrected.
LABELS = MappingProxyType(
    {
        Section.QUESTIONS: "Questions",
        Section.CONFLICTS: "Conflicts",
        Section.ERRORS: "Errors",
        Section.CREATED: "Created",
        Section.CHANGED: "Changed",
        Section.MISSING: "Missing",
        Section.LEFT_OUT: "Left out",
    }
)

#: The templates that are not named as their section is.
_TEMPLATES = {
    Section.CREATED: "rows",
    Section.CHANGED: "rows",
    Section.LEFT_OUT: "left_out",
}

#: The answer to several questions that each has its own likeliest one.
SUGGESTED = "suggested"

#: What questions are about, and the answers to all of one kind, by their family's first word.
_ANSWERS: Mapping[str, tuple[str, Options]] = MappingProxyType(
    {
        "match": (
            "Records that may be here already",
            (
                (SUGGESTED, "They are: take the likeliest record of each"),
                (NEW, "They are not: add a new one for each"),
            ),
        ),
        "rename": (
            "Names that differ",
            ((TAKE, "They are new names: rename"), (NEW, "They are others: add them")),
        ),
        "group": (
            "Rows of one record that say different things",
            (("first", "The first row of each counts"), (LEAVE_OUT, "Leave these rows out")),
        ),
        "add": (
            "Names that are not known",
            ((NEW, "Add them as placeholders"), (LEAVE_OUT, "Leave their rows out")),
        ),
    }
)
_UNUSUAL = (
    "Unusual values",
    ((TAKE, "They are right, as in the file"), (KEEP, "Leave their rows out")),
)

#: How many rows of a record's history are looked through for who wrote a value.
_HISTORY = 200


@dataclass(frozen=True)
class Tab:
    code: Section
    label: str
    number: int
    is_current: bool


@dataclass(frozen=True)
class Together:
    """The questions of a family, and the answers that all of them may be given."""

    family: Family
    title: str
    options: Options


@dataclass(frozen=True)
class GridRow:
    """A row with its cells under the headings of the grid, None where nothing differs."""

    item: dict[str, Any]
    cells: tuple[dict[str, str] | None, ...]


@dataclass
class Shown:
    """A page of a section. ``headings`` are the columns that can be filtered for."""

    tabs: list[Tab]
    section: Section
    heading: str
    text: str
    headings: list[tuple[str, int]]
    page: Page[dict[str, Any]]
    grid: list[GridRow] = field(default_factory=list)
    grid_headings: list[str] = field(default_factory=list)
    together: list[Together] = field(default_factory=list)

    @property
    def template(self) -> str:
        return f"oegen/importing/{_TEMPLATES.get(self.section, self.section)}.html"

    @property
    def number(self) -> int:
        """All items of the section."""
        return next(tab.number for tab in self.tabs if tab.is_current)

    @property
    def has_errors(self) -> bool:
        codes = {tab.code for tab in self.tabs if tab.number}
        return bool(codes & {Section.ERRORS, Section.CONFLICTS})

    @property
    def is_filtered(self) -> bool:
        return bool(self.heading or self.text)


def show(file: PreviewFile, one: TableImport, kind: ImportKind, query: QueryDict) -> Shown:
    """The page of the section that the address asks for; without one, the first with items."""
    totals = file.totals()
    section = _section(query, totals)
    heading, text = query.get("column", ""), query.get("q", "").strip()
    items = file.items(section, heading, text)
    page = Paginator(items, PAGE_SIZE).get_page(query.get("page"))
    page.object_list = list(page.object_list)
    shown = Shown(
        tabs=[
            Tab(code, label, totals[code], code == section)
            for code, label in LABELS.items()
            if totals[code] or code == section
        ],
        section=section,
        heading=heading,
        text=text,
        headings=file.headings(section),
        page=page,
    )
    _add_links(page.object_list, kind)
    if section in (Section.CREATED, Section.CHANGED):
        _make_grid(shown)
    elif section == Section.QUESTIONS:
        _add_answers(page.object_list, one.choices)
        shown.together = _together(page.object_list, file.families())
    elif section == Section.CONFLICTS:
        _add_answers(page.object_list, one.choices)
        _add_authors(page.object_list)
    return shown


def _section(query: QueryDict, totals: dict[str, int]) -> Section:
    asked = query.get("show", "")
    if not asked:
        return next((code for code in LABELS if totals[code]), Section.CREATED)
    try:
        return Section(asked)
    except ValueError as error:
        known = ", ".join(LABELS)
        raise BadRequest(f"A preview has no part “{asked}”. It has {known}.") from error


def _add_links(items: Iterable[dict[str, Any]], kind: ImportKind) -> None:
    """Add the URL of each stored record's page."""
    names = NameCache()
    for item in items:
        if item.get("record"):
            names.prefetch(kind.model, UUID(item["record"]))
    for item in items:
        item["url"] = names.url(kind.model, UUID(item["record"])) if item.get("record") else ""


def _make_grid(shown: Shown) -> None:
    """Set the headings of the page's cells, in the order of the file's columns, and its rows."""
    places: dict[str, int] = {}
    for item in shown.page.object_list:
        for cell in item["cells"]:
            place = cell["place"] if cell["place"] is not None else len(places) + 100_000
            places.setdefault(cell["label"], place)
    shown.grid_headings = sorted(places, key=lambda label: places[label])
    for item in shown.page.object_list:
        by_label = {cell["label"]: cell for cell in item["cells"]}
        shown.grid.append(GridRow(item, tuple(map(by_label.get, shown.grid_headings))))


# Questions ------------------------------------------------------------------------------------


def _add_answers(items: Iterable[dict[str, Any]], choices: dict[str, str]) -> None:
    """Add the answers that are given already, but not previewed yet."""
    for item in items:
        item["answer"] = choices.get(item["key"], "")


def _together(items: Iterable[dict[str, Any]], families: dict[str, Family]) -> list[Together]:
    """The families on the page with several questions, and what may be answered to all of each."""
    found = []
    for code in dict.fromkeys(item["family"] for item in items):
        family = families[code]
        options: Options
        title, options = _ANSWERS.get(code.partition(":")[0], _UNUSUAL)
        if not family.suggested:
            options = tuple(option for option in options if option[0] != SUGGESTED)
        if family.number > 1:
            found.append(Together(family, title, options))
    return found


def answers_for_all(file: PreviewFile, family: str, answer: str) -> dict[str, str]:
    """The same answer to each open choice of the family that offers it, by key."""
    found = {}
    for one in file.open_of(family):
        value = one.suggestion if answer == SUGGESTED else answer
        if value in one.options:
            found[one.key] = value
    return found


# Conflicts ------------------------------------------------------------------------------------


def _add_authors(items: Iterable[dict[str, Any]]) -> None:
    """Add the change set that wrote what others have now."""
    by_model: dict[type[AuditedModel], set[UUID]] = {}
    for item in items:
        model, key = _holder(item)
        by_model.setdefault(model, set()).add(key)
    history: dict[tuple[type[AuditedModel], UUID], list[Any]] = {}
    for model, keys in by_model.items():
        for key in keys:
            rows = history_model(model).objects.filter(id=key).order_by("-history_id")
            history[model, key] = list(rows.select_related("change_set__person")[:_HISTORY])
    for item in items:
        item["by"] = _author(history[_holder(item)], item["attribute"])


def _holder(item: dict[str, Any]) -> tuple[type[AuditedModel], UUID]:
    label, _, key = item["holder"].partition(":")
    model: Any = apps.get_model(label)
    return model, UUID(key)


def _author(rows: list[Any], attribute: str) -> ChangeSet | None:
    """The change set of the row that the value has stood in since, the rows newest first; without
    an attribute, that of the newest."""
    found: ChangeSet | None = None
    for row in rows:
        if found is not None and (
            not attribute or getattr(row, attribute) != getattr(rows[0], attribute)
        ):
            break
        found = row.change_set
    return found
