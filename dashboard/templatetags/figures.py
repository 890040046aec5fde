"""The rows, cells and bars of figures as HTML. A dashboard has a thousand values in them, for which
templates take ten times as long."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from dashboard.charts.answer import AttentionRow, Segment
from dashboard.charts.heat import HeatCell
from dashboard.charts.movement import RagCell
from dashboard.charts.parts import Cell, Row
from oegen.core import words
from oegen.core.addresses import address_of
from oegen.core.words import number, whole
from oegen.pages.columns import truncate
from pipelines.models import Pipeline
from pipelines.templatetags.pipelines import reason_chips

register = template.Library()

_NONE = mark_safe('<span class="visually-hidden">none</span>')

_SEGMENT = (
    '<a href="{}" tabindex="-1"><title>{}{}: {}, {}</title>'
    '<rect class="fill-{}" x="{}" width="{}" height="{}"/></a>'
)

_ATTENTION = """<tr>
      <td class="attention-rag"><span class="rag-dot rag-{}" title="{}"><span aria-hidden="true">{}\
</span><span class="visually-hidden">{}</span></span></td>
      <th scope="row"><a class="one-line" href="{}"><bdi>{}</bdi></a>\
<small class="d-block">{}{}{}</small></th>
      <td class="num">{}</td>
      <td class="attention-reasons">{}</td>
    </tr>"""

_MOVED = (
    '<td class="moved-{}"><a href="{}">{}<span class="visually-hidden"> {}{}</span> '
    '<small class="d-block">{}</small></a></td>'
)

_HEAT = (
    '<td class="{}"><a href="{}" title="{} {}, {} {}">{} <small class="heat-count">'
    '<span class="visually-hidden">in </span>{}<span class="visually-hidden"> {}</span></small>'
    "</a></td>"
)


@register.simple_tag
def draw_segments(segments: Iterable[Segment], height: int, bar: str = "") -> SafeString:
    """The parts of a bar in an SVG; ``bar`` is the name of one of several."""
    start = f"{bar}, " if bar else ""
    return format_html_join(
        "",
        _SEGMENT,
        (
            (
                *(one.link.url, start, one.label, one.pipelines, one.size),
                *(one.rag, one.start, one.width, height),
            )
            for one in segments
        ),
    )


@register.filter
def in_words(segments: Iterable[Segment]) -> str:
    return ", ".join(f"{one.label} {one.size}" for one in segments)


@register.filter
def draw_attention(row: AttentionRow) -> SafeString:
    one = row.needing
    day = responsible = ""
    if one.rtb_date:
        late = f", {words.in_days(one.rtb_date)}" if one.is_overdue else ""
        day = f" · RTB {words.day(one.rtb_date)}{late}"
    if one.responsible:
        responsible = format_html(" · <bdi>{}</bdi>", one.responsible)
    amount = (
        format_html('{} <span class="unit">MW</span>', row.size)
        if row.size
        else mark_safe('<span class="text-secondary">no MW</span>')
    )
    return format_html(
        _ATTENTION,
        *(one.rag or "none", row.rag_label, row.rag_label[0] if one.rag else "–", row.rag_label),
        *(address_of("pipeline", one.pipeline_id), truncate(one.name, 90)),
        *(row.stage, day, responsible, amount, reason_chips(one.reasons)),
    )


@register.filter
def draw_moved(cell: RagCell) -> SafeString:
    """The cell of the pipelines that moved from one rating to another."""
    total = cell.total
    if not total.pipelines:
        return format_html("<td>{}</td>", _NONE)
    noun = words.noun_of(Pipeline, total.pipelines)
    direction = "" if cell.direction == "same" else f", {cell.direction}"
    amount = words.mw(total.capacity.mw, total.capacity.unit)
    return format_html(
        _MOVED, cell.direction, cell.link.url, whole(total.pipelines), noun, direction, amount
    )


@register.filter
def draw_heat(cell: HeatCell, unit: str) -> SafeString:
    total = cell.total
    tint = "heat-sum" if cell.tint is None else f"tint-{cell.tint}"
    if not total.pipelines:
        return format_html('<td class="{}">{}</td>', tint, _NONE)
    pipelines, noun = whole(total.pipelines), words.noun_of(Pipeline, total.pipelines)
    amount = total.capacity.mw
    return format_html(
        _HEAT,
        *(tint, cell.link.url, pipelines, noun, number(amount), unit),
        *(whole(amount), pipelines, noun),
    )


@register.filter
def draw_row(row: Row) -> SafeString:
    """A row of the table behind a chart."""
    label = (
        format_html('<a href="{}"><bdi>{}</bdi></a>', row.link.url, row.label)
        if row.link
        else row.label
    )
    cells = format_html_join("", "{}", ((_cell(cell),) for cell in row.cells))
    return format_html('<tr><th scope="row">{}</th>{}</tr>', label, cells)


def _cell(cell: Cell) -> SafeString:
    note = format_html(' <small class="d-block">{}</small>', cell.note) if cell.note else ""
    return format_html('<td class="num">{}{}</td>', draw_link(cell), note)


@register.filter
def draw_link(cell: Cell) -> SafeString | str:
    """What a cell says, linked to the records behind it."""
    return format_html('<a href="{}">{}</a>', cell.link.url, cell.text) if cell.link else cell.text
