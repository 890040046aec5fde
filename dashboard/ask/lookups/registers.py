"""The lookup ``registers``: what public registers say of projects and of the companies behind them.

What publishers say never stands for our own figures: everything found has its registers as
``source``, and their attribution among the remarks. Projects whose operator may be a private
individual are counted, and never named, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import get_text_list

from dashboard.ask.findings import Cell, Figure, Finding, Findings, Found, Table, page_address
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
    sorted_query,
    valid_filters,
)
from dashboard.ask.lookups.schemas import day, filters_of, one_of, optional, strict
from oegen.pages.filters import PageFilterSet
from pipelines.registers.filters import (
    CompanyFilter,
    RegisterProjectFilter,
    of_one_country,
    registers_of,
)
from pipelines.registers.licences import registers_shown
from pipelines.registers.market import MEASURES
from pipelines.registers.models import Register, RegisterProject
from pipelines.registers.pages.competitors import Competitors, newest_days
from pipelines.registers.pages.registers import RegisterProjects

PROJECTS, COMPANIES = "projects", "companies"

#: The filters of each kind, and what it is called.
FILTERS: dict[str, type[PageFilterSet]] = {
    PROJECTS: RegisterProjectFilter,
    COMPANIES: CompanyFilter,
}
LABELS = {
    PROJECTS: "Projects in public registers",
    COMPANIES: "Companies in public registers",
}

#: Of companies: what they are ranked by, and whether by what the newest edition changed of it.
OF, BY = "of", "by"
RANKED_BY = {"change": "what the newest edition changed"}

#: The rows of an answer, and the most that one has.
FIRST = {PROJECTS: 10, COMPANIES: 5}
MOST = 50

BASIS = "Capacities as published, in full for each company; MWp (DC) and MW (AC) added."
BASIS_OF_MARKET = "Each project once; capacities as published, MWp (DC) and MW (AC) added."
BASIS_OF_SHARE = "Of the MW of the whole market; a project of several counts for each."
BASIS_OF_PROJECTS = "Rows of public registers; capacities as published, MWp (DC) and MW (AC) added."


class RegistersArguments(Arguments):
    what = forms.ChoiceField(choices=[(one, one) for one in FILTERS])
    filters = AnyOrNone(required=False)
    limit = forms.IntegerField(required=False, min_value=1, max_value=MOST)
    as_of = PastDayField()


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    with asker.reading(arguments["as_of"]):
        _require_editions(arguments["filters"])
        if arguments["what"] == COMPANIES:
            return _companies(arguments, asker, findings)
        return _projects(arguments, asker, findings)


def _require_editions(query: QueryDict) -> None:
    """Raises LookupRefusedError for a register of which nothing is known on the day."""
    known = {one.code for one in registers_shown()}
    for one in Register.objects.filter(code__in=query.getlist("register")):
        if one.code not in known:
            raise LookupRefusedError(_without_editions(f"the {one}"))


def _without_editions(what: str) -> str:
    return (
        f"No edition of {what} is here up to this day. Portfolio managers fetch the newest "
        "editions on the page of the registers."
    )


# Projects ----------------------------------------------------------------------------------------


def _projects(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    """The largest first, whatever edition they are new in."""
    query = arguments["filters"]
    view = RegisterProjects()
    view.setup(asker.request(query))
    valid_filters(view.filterset_class, query, asker, view.get_queryset())
    filterset = view.get_filterset(view.get_filterset_class())
    # Valid now, with the page's default filter.
    filterset.is_valid()
    found = filterset.qs.order_by()
    registers = list(Register.objects.filter(pk__in=found.values("register")))
    registers = registers or registers_of(filterset.form.cleaned_data.get("register"))
    newest = _newest(registers)
    on = newest[0] if len(newest) == 1 else None
    link_query = query.copy()
    link_query["sort"] = "-capacity_mw"
    link = page_address(f"{reverse('register-projects')}?{sorted_query(link_query)}")
    capacity = found.capacity()
    main = (
        findings.add_figure(
            PROJECTS, capacity.projects, PROJECTS, basis=BASIS_OF_PROJECTS, day=on, link=link
        ),
        findings.add_figure(
            "Capacity", str(capacity.mw), capacity.unit, basis=BASIS_OF_PROJECTS, day=on, link=link
        ),
    )
    largest = (F("capacity_mw").desc(nulls_last=True), "name", "key")
    named = found.filter(is_private=False).select_related("register", "technology")
    limit = arguments["limit"] or FIRST[PROJECTS]
    rows = [_project_row(one, on, findings) for one in named.order_by(*largest)[:limit]]
    columns = ("Project", "Capacity", "Status", "Technology", "Company", "Region", "Register")
    remarks = []
    if capacity.without:
        remarks.append(f"Of {capacity.without:,} the registers say no capacity.")
    if found.filter(is_private=True).exists():
        remarks.append("Projects of private individuals are counted, and not named.")
    return _found(
        *(arguments, registers, newest, in_words(filterset), findings),
        main=main,
        table=Table(LABELS[PROJECTS], columns, tuple(rows), link, capacity.projects - len(rows)),
        remarks=remarks,
    )


def _project_row(project: RegisterProject, on: date | None, findings: Findings) -> tuple[Cell, ...]:
    link = page_address(project.get_absolute_url())
    size: Cell = ""
    if project.capacity_mw is not None:
        size = findings.add_figure(
            f"{project}: capacity", str(project.capacity_mw), project.unit,
            basis=BASIS_OF_PROJECTS, day=on, link=link,
        )  # fmt: skip
    return (
        findings.add_record("registerproject", project.pk, project.name, link=link),
        size,
        project.raw_status,
        project.technology.name if project.technology else project.raw_technology,
        project.operator,
        project.region,
        project.register.name,
    )


# Companies ---------------------------------------------------------------------------------------


def _companies(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    query = arguments["filters"]
    _require(OF, query, MEASURES)
    _require(BY, query, RANKED_BY)
    view = Competitors()
    view.setup(asker.request(query))
    valid_filters(CompanyFilter, query, asker, view.get_queryset(), others=(OF, BY))
    view.filterset = view.get_filterset(view.get_filterset_class())
    # Valid now, with the page's default filter.
    view.filterset.is_valid()
    view.object_list = view.filterset.qs
    registers = view.filterset.registers
    newest = _newest(registers)
    on = newest[0] if len(newest) == 1 else None
    ranking = view.ranking()
    address = f"{reverse('competitors')}?{sorted_query(query)}".removesuffix("?")
    link = page_address(address)
    everything, label = ranking.everything, MEASURES[view.measure]
    all_of_it = page_address(view.projects_url(view.measure))
    main = (
        findings.add_figure(
            f"{label}, the whole market", str(everything.mw), "MW, mixed",
            basis=BASIS_OF_MARKET, day=on, link=all_of_it,
        ),
        findings.add_figure(
            f"{label}, the whole market", everything.projects, PROJECTS,
            basis=BASIS_OF_MARKET, day=on, link=all_of_it,
        ),
        findings.add_figure(COMPANIES, ranking.total, COMPANIES, basis=BASIS, day=on, link=link),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    shown = list(view.rows(ranking))[: arguments["limit"] or FIRST[COMPANIES]]
    for one in shown:
        key = one.url.rstrip("/").rpartition("/")[2]
        own = next(cell for cell in one.cells if cell.measure == view.measure)
        url = page_address(own.url)
        change: Cell = ""
        if one.change:
            change = _mw(findings, f"{one.name}: change", one.change, on, url)
        share: Cell = ""
        if one.share_pct is not None:
            share = findings.add_figure(
                f"{one.name}: share", f"{one.share_pct:.1f}", "%",
                basis=BASIS_OF_SHARE, day=on, link=url,
            )  # fmt: skip
        number = findings.add_figure(
            f"{one.name}: projects", own.standing.projects, PROJECTS, basis=BASIS, day=on, link=url
        )
        record = findings.add_record("registercompany", key, one.name, link=page_address(one.url))
        mw = _mw(findings, f"{one.name}: {label.lower()}", own.mw, on, url)
        rows.append((record, mw, share, number, change))
    columns = ("Company", label, "Share", "Projects", "Change")
    ranked = f"ranked by {RANKED_BY['change']}" if view.by_change else ""
    words = ", ".join(filter(None, (label, in_words(view.filterset), ranked)))
    return _found(
        *(arguments, registers, newest, words, findings),
        main=main,
        table=Table(LABELS[COMPANIES], columns, tuple(rows), link, ranking.total - len(rows)),
    )


def _require(name: str, query: QueryDict, known: dict[str, str]) -> None:
    value = query.get(name)
    if value is not None and value not in known:
        raise LookupRefusedError(
            f"{name}: There is no “{value}” here; there are: {', '.join(known)}."
        )


def _mw(findings: Findings, label: str, mw: float | Decimal, on: date | None, link: str) -> Figure:
    return findings.add_figure(label, str(mw), "MW, mixed", basis=BASIS, day=on, link=link)


# Both --------------------------------------------------------------------------------------------


def _newest(registers: Sequence[Register]) -> list[date]:
    """The days of the newest editions. Raises LookupRefusedError if there are none."""
    found = [newest for one in registers if (newest := newest_days(one)[0])]
    if not found:
        raise LookupRefusedError(_without_editions("such a public register"))
    return found


def _found(
    arguments: dict[str, Any],
    registers: Sequence[Register],
    newest: Sequence[date],
    words: str,
    findings: Findings,
    *,
    main: tuple[Finding, ...],
    table: Table,
    remarks: Sequence[str] = (),
) -> Found:
    names = [one.name for one in registers]
    title = f"{LABELS[arguments['what']]} ({'; '.join(names)})"
    days = tuple(findings.add_day(one) for one in dict.fromkeys(newest))
    findings.names.update(names)
    return findings.add_found(
        Found(
            "registers",
            plain_arguments(arguments),
            f"{title}{f', {words}' if words else ''}",
            table.link,
            items=tuple(dict.fromkeys((*main, *days, *tables.findings_in(table)))),
            main=main,
            table=table if table.rows else None,
            remarks=(*remarks, *_about(registers)),
            source=tuple(names),
        )
    )


def _about(registers: Sequence[Register]) -> Iterator[str]:
    """What two registers of a country have in common; at the end each one's edition, attribution
    and licence."""
    if twice := of_one_country(registers):
        yield f"{get_text_list([str(one) for one in twice], 'and')} may have the same plants."
    for one in registers:
        newest = newest_days(one)[0]
        edition = f", edition of {date_format(newest)}" if newest else ""
        attribution = one.attribution.rstrip(".")
        licence = "" if one.licence_name in attribution else f" ({one.licence_name})"
        yield f"Source: {one.name}{edition}. {attribution}{licence}."


def _schema(asker: Asker) -> Schema:
    others = {
        OF: optional(one_of(MEASURES, "Of companies: what they are ranked by; null for open.")),
        BY: optional(one_of(RANKED_BY, "Of companies: ranked by what the newest edition changed.")),
    }
    filters = filters_of(RegisterProjectFilter, asker, others)
    of_companies = ", ".join(CompanyFilter().parameters)
    return strict(
        {
            "what": one_of(FILTERS, "Projects, or companies ranked by MW with their share."),
            "filters": {
                **filters,
                "description": "The filters of projects, without seen those of the newest "
                f"editions. Companies take {of_companies}, {OF} and {BY} alone.",
            },
            "limit": optional({"type": "integer", "description": f"How many rows, up to {MOST}."}),
            "as_of": day("What the editions up to this day say; null for the page's day."),
        }
    )


LOOKUP = Lookup(
    "registers",
    "What public registers (REPD, TEC, MaStR) say of projects in the market, which are not ours: "
    "number and MW of projects, or the competitors ranked by MW.",
    RegistersArguments,
    _read,
    _schema,
)
