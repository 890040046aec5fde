"""The lookup ``metric``: a figure of ``dashboard.figures``, of filtered pipelines, at a day, whole
or in groups, and compared with another day. Every number is the figure's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format

from dashboard.ask.findings import Figure as FoundFigure
from dashboard.ask.findings import Finding as FoundItem
from dashboard.ask.findings import Findings, Found
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
from dashboard.ask.lookups.figure import (
    VALUE,
    Wanted,
    codes_of,
    default_comparison,
    exact_unit,
    value_of,
)
from dashboard.ask.lookups.grouping import DIMENSIONS, Group, find_groups
from dashboard.ask.lookups.schemas import day, filters_of, optional, strict, text
from dashboard.figures import FIGURES, Compared
from dashboard.figures.figure import Finding
from oegen.core import clock
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline


class MetricArguments(Arguments):
    name = forms.CharField(max_length=100)
    filters = AnyOrNone(required=False)
    group_by = forms.CharField(required=False, max_length=60)
    as_of = PastDayField()
    compare = PastDayField()
    part = forms.CharField(required=False, max_length=60)
    by = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    limit = forms.IntegerField(required=False, min_value=1, max_value=tables.MOST_ROWS)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        figure, _, measure = name.partition(":")
        if figure not in FIGURES:
            raise ValidationError(
                f"There is no figure “{figure}”; there are: {', '.join(FIGURES)}."
            )
        return f"{figure}:{measure or VALUE}"

    def clean_group_by(self) -> tuple[str, ...]:
        names = tuple(filter(None, self.cleaned_data["group_by"].replace(" ", "").split(",")))
        unknown = [name for name in names if name not in DIMENSIONS]
        if unknown or len(names) > 2:
            raise ValidationError(
                f"Group by one or two of these, with a comma between: {', '.join(DIMENSIONS)}."
            )
        return names


def _read(arguments: dict[str, Any], asker: Asker, findings: Findings) -> Found:
    name, _, measure = arguments["name"].partition(":")
    figure = FIGURES[name]
    with asker.reading(arguments["as_of"]):
        filterset = valid_filters(
            PipelineFilter, arguments["filters"], asker, Pipeline.objects.all()
        )
        wanted = Wanted(figure, measure, arguments["filters"], asker, in_words(filterset))
        compare = arguments["compare"]
        if compare and compare >= clock.today():
            raise LookupRefusedError(
                f"compare: Give a day before {date_format(clock.today())}, which is read."
            )
        if arguments["group_by"]:
            return _grouped(wanted, arguments, findings)
        holder = arguments["filters"].get("held_by", "")
        has_holder = holder or "held_by_nobody" in arguments["filters"]
        if has_holder and (name, measure) == ("capacity-by-counterparty", "held_mw"):
            return _held(wanted, holder, filterset, findings, arguments)
        return _single(wanted, arguments, findings)


def _single(wanted: Wanted, arguments: dict[str, Any], findings: Findings) -> Found:
    figure, measure, part = wanted.figure, wanted.measure, arguments["part"]
    compare: date | None = arguments["compare"]
    is_change = figure.compared is Compared.CHANGE
    since = compare or default_comparison()
    then: Finding | None = None
    if is_change or (compare and figure.compared is Compared.LEVEL):
        found, then = wanted.read(since)
    else:
        found = wanted.read_now()
        if compare:
            then = _as_of(wanted, compare)
    link = figure.link(wanted.lists, since).url
    main: list[FoundItem] = []
    items: list[FoundItem] = []

    def add(finding: Finding, at: date, url: str) -> FoundFigure:
        value = value_of(finding, measure, part)
        unit = exact_unit(finding, measure, wanted.unit)
        return findings.add_figure(
            _label(wanted, part), value, unit, basis=figure.basis, day=at, link=url
        )

    has_value = bool(part) or measure != VALUE or found.value is not None
    if has_value:
        now = add(found, clock.today(), _part_link(found, part) or link)
        main.append(now)
        if then is not None and not is_change and compare:
            before = add(then, compare, tables.on_day(link, compare))
            main.append(before)
            if comparison := findings.add_comparison(now, before):
                main.append(comparison)
        items += _beside_part(wanted, found, part, findings) if part else []
        if not part:
            items += _parts(wanted, found, findings, link)
    if figure.name == "forecast" and arguments["by"]:
        return _forecast(wanted, found, arguments, findings, link)
    most = arguments["limit"] or tables.MOST_ROWS
    table = tables.of_rows(figure, found, findings, link, most) if not part else None
    if table:
        items += tables.findings_in(table)
    remarks = []
    if is_change:
        remarks.append(f"Since the end of {date_format(since)}.")
        items.append(findings.add_day(since))
    if not figure.is_filtered and wanted.query:
        remarks.append("This figure is of everything, whatever the filters.")
    title = f"{figure.title}{f', {wanted.words}' if wanted.words else ''}"
    return findings.add_found(
        Found(
            *("metric", plain_arguments(arguments), title, link),
            items=(*main, *(one for one in items if one not in main)),
            main=tuple(main),
            table=table,
            remarks=tuple(remarks),
        )
    )


def _as_of(wanted: Wanted, day: date) -> Finding:
    with wanted.asker.reading(day):
        return wanted.read_now()


#: What goes with a capacity, by the name of the part: label and unit.
_BESIDE = {
    "pipelines": ("Pipelines", "pipelines"),
    "capacity_mwp_dc": ("of which DC", "MWp"),
    "capacity_mw_ac": ("of which AC", "MW"),
    "storage_mw": ("of which storage", "MW"),
    "storage_mwh": ("Storage", "MWh"),
    "facilities_without_capacity": ("Facilities without a figure", "facilities"),
    "with_probability_mw": ("MW with a probability", "MW"),
    "with_probability_pct": ("Share of the open MW with a probability", "%"),
    "urgent": ("of which urgent", "pipelines"),
    "slipped": ("Dates that changed", "pipelines"),
    "later": ("Later dates", "pipelines"),
    "scheduled_mw": ("Scheduled", "MW"),
    "trend_mw": ("Trend", "MW"),
    "trend_low_mw": ("Trend, low", "MW"),
    "trend_high_mw": ("Trend, high", "MW"),
    "capacity_mw": ("Capacity", "MW"),
}


#: Parts, of all figures or of one, that the list behind the figure does not tell.
_NOT_TOLD = {"with_probability_mw", "urgent", ("baselines", "pipelines")}


def _parts(wanted: Wanted, found: Finding, findings: Findings, link: str) -> Iterable[FoundFigure]:
    """What the value is made of or goes with."""
    own = value_of(found, wanted.measure)
    for name, (label, unit) in _BESIDE.items():
        value = found.parts.get(name)
        if value in (None, own, 0) or name == wanted.measure:
            continue
        if isinstance(value, str) and not Decimal(value):
            continue
        # The list behind the figure does not tell these.
        is_told = name not in _NOT_TOLD and (wanted.figure.name, name) not in _NOT_TOLD
        url = link if is_told else ""
        yield findings.add_figure(label, value, unit, basis=wanted.figure.basis, link=url)


def _beside_part(
    wanted: Wanted, found: Finding, part: str, findings: Findings
) -> Iterable[FoundFigure]:
    """The other measures of a row: the median goes with the number of stays."""
    row = next(row for row in found.rows or [] if part in codes_of(row))
    for heading, key, unit in tables.COLUMNS.get(wanted.figure.name, ()):
        if key != wanted.measure and row.get(key) is not None and unit not in ("text", "day"):
            yield findings.add_figure(
                heading, row[key], unit, basis=wanted.figure.basis, link=_part_link(found, part)
            )


def _forecast(
    wanted: Wanted, found: Finding, arguments: dict[str, Any], findings: Findings, link: str
) -> Found:
    """What is reached or scheduled by a day, and the trend there."""
    by: date = arguments["by"]
    rows = [
        row
        for row in found.rows or []
        if not row["technology"] and date.fromisoformat(row["day"]) <= by
    ]
    known = [row for row in rows if row["line"] != "trend"]
    trend = [row for row in found.rows or [] if row["line"] == "trend" and not row["technology"]]
    main: list[FoundItem] = [findings.add_day(by)]
    remarks = []
    if known:
        last = max(known, key=lambda row: str(row["day"]))
        main.append(
            findings.add_figure(
                "Reached or scheduled", last["cumulative_mw"], "MW",
                basis=wanted.figure.basis, day=by, link=str(last["url"] or link),
            )
        )  # fmt: skip
    ends = [row for row in trend if date.fromisoformat(row["day"]) <= by]
    if ends:
        end = ends[-1]
        day_of = date.fromisoformat(end["day"])
        main.append(findings.add_day(day_of))
        for label, key in (("Trend", "cumulative_mw"), ("Low", "low_mw"), ("High", "high_mw")):
            main.append(
                findings.add_figure(
                    label, end[key], "MW", basis=wanted.figure.basis, day=day_of, link=link
                )
            )
        if day_of < by:
            remarks.append(f"The trend goes no further than {date_format(day_of)}.")
    else:
        remarks.append("There is no trend: too few RTB dates have been reached.")
    return findings.add_found(
        Found(
            *("metric", plain_arguments(arguments), wanted.figure.title, link),
            items=tuple(main),
            main=tuple(main),
            remarks=tuple(remarks),
        )
    )


def _part_link(found: Finding, part: str) -> str:
    rows = [row for row in found.rows or [] if part and part in codes_of(row)]
    return str(rows[0].get("url") or "") if rows else ""


def _label(wanted: Wanted, part: str = "") -> str:
    words = [wanted.figure.title]
    if wanted.measure != VALUE:
        words.append(wanted.measure.rpartition("_")[0].replace("_", " ") or wanted.measure)
    if part:
        words.append(part)
    return ", ".join([*words, *([wanted.words] if wanted.words else [])])


def _held(
    wanted: Wanted,
    holder: str,
    filterset: PipelineFilter,
    findings: Findings,
    arguments: dict[str, Any],
) -> Found:
    """What one counterparty holds of the open capacity, as the list behind its bar says it."""
    listed = wanted.lists.pipelines(status="open")
    [(label, keywords)] = filterset.holders.values()
    amount = filterset.qs.open().held_mw(**keywords)
    figure = findings.add_figure(
        f"Held by {label}", str(amount), "MW", basis=wanted.figure.basis, link=listed.url
    )
    main: list[FoundItem] = [figure]
    if holder:
        url = tables.record_url("counterparty", holder)
        main.append(findings.add_record("counterparty", holder, label, link=url))
    number = filterset.qs.open().order_by().count()
    pipelines = findings.add_figure("Pipelines", number, "pipelines", link=listed.url)
    main.append(pipelines)
    return findings.add_found(
        Found(
            "metric",
            plain_arguments(arguments),
            f"Held by {label}",
            listed.url,
            tuple(main),
            tuple(main),
        )
    )


# Groups ------------------------------------------------------------------------------------------


def _grouped(wanted: Wanted, arguments: dict[str, Any], findings: Findings) -> Found:
    compare: date | None = arguments["compare"]
    read: Callable[[], list[Group]] = partial(find_groups, wanted, arguments["group_by"])
    groups = read()
    then: dict[tuple[str, ...], Group] = {}
    if compare:
        with wanted.asker.reading(compare):
            then = {one.codes: one for one in read()}
    whole = wanted.read_now()
    since = compare or default_comparison()
    link = wanted.figure.link(wanted.lists, since).url
    value = value_of(whole, wanted.measure)
    unit = exact_unit(whole, wanted.measure, wanted.unit)
    total = findings.add_figure(_label(wanted), value, unit, basis=wanted.figure.basis, link=link)
    main: list[FoundItem] = [total]
    table = tables.of_groups(
        wanted.figure, unit, arguments["group_by"], groups, then, compare, findings, link
    )
    items = [*main, *tables.findings_in(table)]
    remarks = []
    known = [Decimal(one.value) for one in groups if one.value is not None]
    if value is not None and sum(known) > Decimal(value) + Decimal("0.001"):
        remarks.append(
            "A facility or pipeline in several groups counts in each of them and once in the total."
        )
    if compare:
        remarks.append(f"Compared with the end of {date_format(compare)}.")
        items.append(findings.add_day(compare))
    title = f"{wanted.figure.title} by {' and '.join(DIMENSIONS[n] for n in arguments['group_by'])}"
    if wanted.words:
        title = f"{title}, {wanted.words}"
    return findings.add_found(
        Found(
            *("metric", plain_arguments(arguments), title, link),
            items=tuple(items),
            main=tuple(main),
            table=table,
            remarks=tuple(remarks),
        )
    )


def _schema(asker: Asker) -> Schema:
    about = "; ".join(f"{one.name}: {one.title}, {one.unit}" for one in FIGURES.values())
    return strict(
        {
            "name": text(
                f"The figure. {about}. A measure of it that is not its value stands after a "
                "colon, such as open-capacity:storage_mwh or stages:median_days."
            ),
            "filters": filters_of(PipelineFilter, asker),
            "group_by": optional(
                text(f"One or two, with a comma between: {', '.join(DIMENSIONS)}.")
            ),
            "as_of": day("Read as of the end of this day; null for the page's day."),
            "compare": day("Compare with the end of this earlier day."),
            "by": day("Of the forecast: up to this day, which may lie ahead."),
            "limit": optional(
                {"type": "integer", "description": "How many rows of a figure that is a table."}
            ),
            "part": optional(text("The code of one row of a figure that is a table, as design.")),
        }
    )


LOOKUP = Lookup(
    "metric",
    "A figure of the dashboard: its value, what it is made of, its table, and its change.",
    MetricArguments,
    _read,
    _schema,
)
