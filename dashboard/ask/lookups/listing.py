"""The lookup ``records``: the first rows of a list page, with its own filters, columns and order.

Kinds are those of the records that have a list page, by their models' names, ``changes`` between
two days, and ``audit``, the entries of the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import Truncator

from counterparties.views import ContactList, CounterpartyList
from dashboard import metrics
from dashboard.ask.findings import Cell, Findings, Found, Table, page_address
from dashboard.ask.findings import Finding as FoundItem
from dashboard.ask.lookups import tables
from dashboard.ask.lookups.base import (
    AnyOrNone,
    Arguments,
    Asker,
    Lookup,
    LookupRefusedError,
    PastDayField,
    Schema,
    in_words,
    plain_arguments,
    valid_filters,
)
from dashboard.ask.lookups.schemas import day, filters_of, one_of, optional, strict, text
from dashboard.change_words import ChangeWords
from dashboard.metrics.kinds import KINDS as CHANGE_KINDS
from infopoints.views import InformationPointList
from oegen.core import clock
from oegen.core.words import number
from oegen.history.filters import AuditFilter
from oegen.pages.columns import Column
from oegen.pages.lists import ListPage
from pipelines.filtered import select_pipelines
from pipelines.filters import PipelineFilter
from pipelines.milestone_list import MilestoneList
from pipelines.models import Pipeline
from pipelines.querysets import HELD
from pipelines.views import FacilityList, PipelineList

DEFAULT_LIMIT, MOST = 10, 50

#: The list pages, by kind: their views have the filters, columns, order and default filter.
PAGES: dict[str, type[ListPage]] = {
    "pipeline": PipelineList,
    "counterparty": CounterpartyList,
    "contact": ContactList,
    "facility": FacilityList,
    "informationpoint": InformationPointList,
    "milestone": MilestoneList,
}

CHANGES, AUDIT = "changes", "audit"

KINDS = (*PAGES, CHANGES, AUDIT)

#: Kinds that name people.
PERSONAL = {"contact": "Contacts", AUDIT: "Entries of the history"}

#: The columns that an answer shows.
COLUMNS = {
    "pipeline": ("capacity_mw", "status", "rag_status", "rtb_date"),
    "counterparty": ("country", "pipeline_count"),
    "contact": ("job_title", "roles"),
    "facility": ("capacity_mw", "technology", "region", "country"),
    "informationpoint": ("rating", "impact", "likelihood", "status", "pipelines"),
    "milestone": ("pipeline", "day", "state"),
}

#: Further columns of pipelines, for the filters that are about them.
_BY_FILTER = {
    "attention": "attention",
    "counterparty": "counterparties",
    "not_confirmed": "rag_confirmed_at",
    "late_days": "rtb_days_late",
    "changed_since": "modified_at",
    "country": "country",
    "region": "region",
    "ownership_max": "ownership_pct",
    "ownership_min": "ownership_pct",
}

#: Columns with numbers that are figures, and their units; None is the record's own.
_NUMBERS: dict[str, str | None] = {
    "capacity_mw": None,
    "net_mw": None,
    "gross_weighted_mw": None,
    "net_weighted_mw": None,
    "storage_mw": "MW",
    "storage_mwh": "MWh",
    "ownership_pct": "%",
    "probability_pct": "%",
    "rtb_days_late": "days",
    "pipeline_count": "pipelines",
    "contact_count": "contacts",
}

#: Columns that name people.
_PEOPLE = frozenset({"responsible", "owner", "confirmed_by", "email", "phone"})


class _RecordsFields(Arguments):
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in KINDS])
    filters = AnyOrNone(required=False)
    order = forms.CharField(required=False, max_length=60)
    limit = forms.IntegerField(required=False, min_value=1, max_value=MOST)
    as_of = PastDayField()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        start, end = values.get("from"), values.get("to") or clock.today()
        if start and start >= end:
            self.add_error("from", ValidationError(f"Give a day before {date_format(end)}."))
        return values


#: ``from`` is no name in Python.
RecordsArguments = type(
    "RecordsArguments", (_RecordsFields,), {"from": PastDayField(), "to": PastDayField()}
)


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    kind = arguments["kind"]
    if kind in PERSONAL:
        asker.require_personal(PERSONAL[kind])
    with asker.reading(arguments["as_of"]):
        if kind == CHANGES:
            return _changes(arguments, asker, findings)
        if kind == AUDIT:
            return _audit(arguments, asker, findings)
        return _listed(arguments, asker, findings)


def _listed(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    kind, query, limit = arguments["kind"], arguments["filters"], arguments["limit"]
    view = PAGES[kind]()
    order = _order(view, arguments["order"])
    shown = _columns(kind, query, order)
    page_query = query.copy()
    page_query.setlist("sort", order)
    page_query["columns"] = ",".join(shown)
    view.setup(asker.request(page_query))
    valid_filters(view.filterset_class, query, asker, view.get_queryset())
    view.filterset = view.get_filterset(view.get_filterset_class())
    # Valid now, with the page's default filter.
    view.filterset.is_valid()
    view.object_list = view.filterset.qs
    table = view.get_ordered_table()
    table.open_page("1", limit or DEFAULT_LIMIT)
    link_query = query.copy()
    if order:
        link_query.setlist("sort", order)
    link = _address(view.section, link_query)
    words = in_words(view.filterset)
    noun = str(view.get_queryset().model._meta.verbose_name_plural)
    total = table.paginator.count
    main: list[FoundItem] = [findings.add_figure(noun, total, noun, link=link)]
    if hasattr(view.object_list, "capacity"):
        capacity = table.capacity or view.object_list.capacity()
        main.append(
            findings.add_figure("Capacity", str(capacity.mw), capacity.unit, basis=BASIS, link=link)
        )
    columns = [table.columns[name] for name in shown if name in table.columns.names()]
    rows = [
        tuple(_row(row.record, kind, columns, asker, findings)) for row in table.page.object_list
    ]
    headings = (
        str(view.get_queryset().model._meta.verbose_name).capitalize(),
        *(str(one.header) for one in columns),
    )
    found_table = Table(noun.capitalize(), headings, tuple(rows), link, total - len(rows))
    return findings.add_found(
        Found(
            *("records", plain_arguments(arguments), f"{noun.capitalize()}: {words}", link),
            items=(*main, *tables.findings_in(found_table)),
            main=tuple(main),
            table=found_table if rows else None,
        )
    )


#: Of the capacity of listed pipelines or facilities.
BASIS = "Distinct facilities, gross; MWp (DC) and MW (AC) added."


def _order(view: ListPage, text_of_order: str) -> list[str]:
    """Raises LookupRefusedError for a column that the list can't be sorted by."""
    order = [one.strip() for one in text_of_order.split(",") if one.strip()]
    columns = view.table_class.base_columns
    for one in order:
        name = one.lstrip("-")
        if name not in columns or columns[name].orderable is False:
            known = ", ".join(
                key for key, column in columns.items() if column.orderable is not False
            )
            raise LookupRefusedError(
                f"order: There is no column “{name}” to sort by; there are: {known}. A minus "
                "before it sorts downwards."
            )
    return order


def _columns(kind: str, query: QueryDict, order: list[str]) -> list[str]:
    names = list(COLUMNS[kind])
    if kind == "pipeline":
        names += [column for name, column in _BY_FILTER.items() if name in query]
        if HELD in query.getlist("status"):
            names.append("on_hold_reason")
    names += [one.lstrip("-") for one in order]
    first = next(iter(PAGES[kind].table_class.base_columns))
    return [name for name in dict.fromkeys(names) if name != first or kind == "milestone"]


def _row(
    record: Any, kind: str, columns: list[Any], asker: Asker, findings: Findings
) -> Iterator[Cell]:
    if kind == "milestone":
        yield str(record.kind)
    else:
        yield findings.add_record(
            record._meta.model_name, record.pk, str(record),
            link=page_address(record.get_absolute_url()),
        )  # fmt: skip
    for bound in columns:
        yield _cell(record, bound.name, bound.column, asker, findings)


def _cell(record: Any, name: str, column: Column, asker: Asker, findings: Findings) -> Cell:
    if name in _PEOPLE and not asker.may_read_personal:
        return ""
    if name == "pipeline" and hasattr(record, "pipeline"):
        one = record.pipeline
        return findings.add_record(
            "pipeline", one.pk, str(one), link=page_address(one.get_absolute_url())
        )
    value = (
        column.file_value.of_record(record) if column.file_value else getattr(record, name, None)
    )
    if value is None or value == "":
        return ""
    if name in _NUMBERS:
        unit = _NUMBERS[name] or _own_unit(record)
        exact = value if isinstance(value, int) else str(Decimal(value))
        link = page_address(record.get_absolute_url())
        label = f"{record}: {column.verbose_name or name}"
        return findings.add_figure(label, exact, unit, link=link)
    if isinstance(value, datetime):
        return findings.add_day(timezone.localdate(value))
    if isinstance(value, date):
        return findings.add_day(value)
    if isinstance(value, Decimal | float):
        return number(value)
    return Truncator(str(value)).chars(300)


def _own_unit(record: Any) -> str:
    if isinstance(record, Pipeline):
        return record.capacity_unit.replace(", mixed", "")
    return str(record.technology.unit_label)


def _address(name: str, query: QueryDict) -> str:
    encoded = query.urlencode()
    address = f"{reverse(name)}?{encoded}" if encoded else reverse(name)
    return page_address(address)


# Changes and entries -----------------------------------------------------------------------------


def _changes(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    """Net changes of pipelines between two days, of all kinds or of one, ``kind`` among filters."""
    query = arguments["filters"].copy()
    kind = query.pop("kind", [""])[-1]
    if kind and kind not in CHANGE_KINDS:
        raise LookupRefusedError(
            f"kind: There is no “{kind}” here; there are: {', '.join(CHANGE_KINDS)}."
        )
    end = arguments["to"] or clock.today()
    start = arguments["from"] or clock.a_month_before(end)
    filterset = valid_filters(PipelineFilter, query, asker, Pipeline.objects.all())
    request = asker.request(query)
    limit = arguments["limit"] or DEFAULT_LIMIT

    def select() -> Any:
        return select_pipelines(query, request)

    now_day = None if end == clock.today() else end
    with (
        metrics.portfolio(select, start) as before,
        metrics.portfolio(select, now_day, before=before) as now,
        metrics.changes(before, now) as changes,
    ):
        totals = changes.totals()
        lines = changes.of_kind(kind, 0, limit) if kind else _first(changes.first(limit), limit)
    spanned = {"from": [str(start)], "to": [str(end)], **dict(query.lists())}

    def link_of(one: str = "") -> str:
        pairs = QueryDict(mutable=True)
        for name, values in sorted({**spanned, "kind": [one] if one else []}.items()):
            pairs.setlist(name, values)
        return _address("changes", pairs)

    main: list[FoundItem] = []
    shown = {kind: totals[kind]} if kind in totals else {} if kind else totals
    for code, total in shown.items():
        label = CHANGE_KINDS[code].label
        main.append(
            findings.add_figure(label, total.pipelines, "pipelines", day=end, link=link_of(code))
        )
        if kind:
            main.append(
                findings.add_figure(
                    f"{label}: capacity", str(total.capacity.mw), total.capacity.unit,
                    basis=BASIS, day=end, link=link_of(code),
                )
            )  # fmt: skip
    if kind and not shown:
        label = CHANGE_KINDS[kind].label
        main.append(findings.add_figure(label, 0, "pipelines", day=end, link=link_of(kind)))
    words = ChangeWords()
    live = set(
        Pipeline.objects.filter(pk__in={one.pipeline_id for one in lines})
        .order_by()
        .values_list("pk", flat=True)
    )
    rows: list[tuple[Cell, ...]] = []
    for one in lines:
        name = one.shown_state.name
        url = reverse("pipeline", args=[one.pipeline_id])
        if one.pipeline_id not in live:
            url = reverse("history", args=["pipeline", one.pipeline_id])
        cells: list[Cell] = [
            findings.add_record("pipeline", one.pipeline_id, name, link=page_address(url)),
            words.phrase(one),
        ]
        if one.last_write:
            cells.append(findings.add_day(timezone.localdate(one.last_write.when)))
            cells.append(one.last_write.author if asker.may_read_personal else "")
            cells.append(Truncator(one.last_write.reason).chars(300))
        else:
            cells += ["", "", ""]
        rows.append(tuple(cells))
    link = link_of(kind)
    total_lines = sum(total.pipelines for total in shown.values())
    title = f"Changes from {date_format(start)} to {date_format(end)}"
    table = Table(
        *(title, ("Pipeline", "Change", "When", "Who", "Why"), tuple(rows), link),
        max(total_lines - len(rows), 0),
    )
    days = (findings.add_day(start), findings.add_day(end))
    words_of_filters = in_words(filterset)
    return findings.add_found(
        Found(
            "records",
            plain_arguments(arguments),
            f"{title}{f', {words_of_filters}' if words_of_filters else ''}",
            link,
            items=(*main, *days, *tables.findings_in(table)),
            main=tuple(main),
            table=table if rows else None,
        )
    )


def _first(by_kind: dict[str, list[Any]], limit: int) -> list[Any]:
    """The first changes of all kinds, of each as many as there is room for."""
    each = max(limit // max(len(by_kind), 1), 2)
    return [one for lines in by_kind.values() for one in lines[:each]][: max(limit, each)]


def _audit(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    """The newest entries of the history."""
    query = arguments["filters"].copy()
    for own, name in (("from", "since"), ("to", "until")):
        if arguments[own] and name not in query:
            query[name] = str(arguments[own])
    filterset = valid_filters(AuditFilter, query, asker, None)
    limit = arguments["limit"] or DEFAULT_LIMIT
    trail = filterset.qs
    positions = trail.positions(MOST + 1)
    entries = trail.entries_at(positions[:limit])
    link = _address("audit", query)
    rows = []
    for one in entries:
        subject: Cell = one.subject
        if one.url:
            subject = findings.add_record(
                one.subject_kind, one.subject_id, one.subject, link=page_address(one.url)
            )
        day_of = findings.add_day(timezone.localdate(one.when))
        rows.append((subject, Truncator(one.phrase).chars(300), day_of, one.author, one.reason))
    count = findings.add_figure(
        "Entries", min(len(positions), MOST), "entries", day=clock.today(), link=link
    )
    columns = ("Record", "Change", "When", "Who", "Why")
    more = max(len(positions) - len(rows), 0)
    table = Table("History", columns, tuple(rows), link, more)
    remarks = (f"There are more than {MOST}.",) if len(positions) > MOST else ()
    return findings.add_found(
        Found(
            *("records", plain_arguments(arguments), f"History: {in_words(filterset)}", link),
            items=(count, *tables.findings_in(table)),
            main=(count,),
            table=table if rows else None,
            remarks=remarks,
        )
    )


def _schema(asker: Asker) -> Schema:
    sorted_by = "; ".join(
        f"{kind}: {', '.join(COLUMNS[kind])}" for kind in PAGES if kind != "milestone"
    )
    change = one_of(CHANGE_KINDS, "Of changes: the kind of change.")
    filters = filters_of(PipelineFilter, asker, {"kind": optional(change)})
    return strict(
        {
            "kind": one_of(KINDS, "What is listed."),
            "filters": {
                **filters,
                "description": "The filters of that list. Those here are of pipelines and changes; "
                "other kinds take q, technology, country, region, status, counterparty.",
            },
            "order": optional(
                text(f"A column to sort by, with a minus before it downwards. {sorted_by}.")
            ),
            "limit": optional({"type": "integer", "description": f"How many rows, up to {MOST}."}),
            "as_of": day("Read as of the end of this day; null for the page's day."),
            "from": day("Of changes: from the end of this day."),
            "to": day("Of changes: to the end of this day."),
        }
    )


LOOKUP = Lookup(
    "records",
    "The first rows of a list, and how many there are: pipelines, counterparties, contacts, "
    "facilities, information points, milestones, changes between two days, or the history.",
    RecordsArguments,
    _read,
    _schema,
)
