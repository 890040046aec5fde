"""Answers as HTML and as plain text.

A sentence is plain text with placeholders, ``{f1}``. Everything in it but these is escaped; what
stands for a placeholder is made of the finding, with the address that a lookup gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from dashboard.ask import changing
from dashboard.ask.briefs import Heading
from dashboard.ask.events import (
    GRAMMAR,
    Done,
    Event,
    Note,
    ReadingShown,
    Refused,
    Sentence,
    Shown,
    Status,
)
from dashboard.ask.findings import (
    PLACEHOLDER,
    Cell,
    Comparison,
    Day,
    Figure,
    Finding,
    Found,
    Record,
    Table,
    text_of,
)
from dashboard.ask.lookups import LOOKUPS, Asker
from dashboard.ask.lookups.listing import PAGES
from dashboard.charts import parts
from oegen.core import clock
from pipelines.registers.pages.registers import RegisterProjects

#: What stands for a finding that its reader may not see.
WITHHELD = "(not shown)"

#: The most characters of a first sentence that is printed large.
SHORT = 70

#: The names of the pages that are lists of records.
_LISTS = frozenset([RegisterProjects.section, *(view.section for view in PAGES.values())])

#: The most bars of a small chart.
MOST_BARS = 12

STATUS, READING, BODY, FOOT = "status", "reading", "body", "foot"


@dataclass(frozen=True)
class Part:
    """A piece of an answer, and the place in it to which it is added: STATUS, which it replaces,
    READING, BODY or FOOT. ``values`` are for the script of the panel."""

    place: str
    html: SafeString
    values: Mapping[str, str]


# Findings ----------------------------------------------------------------------------------------


def as_html(sentence: str, findings: Mapping[str, Finding]) -> SafeString:
    """The sentence with its findings as links."""
    pieces = []
    for number, text in enumerate(PLACEHOLDER.split(sentence)):
        if number % 2 == 0:
            pieces.append(escape(text))
        elif text in findings:
            pieces.append(finding_html(findings[text]))
        else:
            pieces.append(escape(WITHHELD))
    return mark_safe("".join(pieces))  # noqa: S308 - every part is escaped


def as_text(sentence: str, findings: Mapping[str, Finding]) -> str:
    """The sentence with its findings as plain text."""
    return PLACEHOLDER.sub(
        lambda match: text_of(findings[match[1]]) if match[1] in findings else WITHHELD,
        sentence,
    )


def as_pieces(sentence: str, findings: Mapping[str, Finding]) -> list[dict[str, str]]:
    """The sentence as texts in their order, those of findings with an address if they have one."""
    pieces = []
    for number, text in enumerate(PLACEHOLDER.split(sentence)):
        if number % 2 == 0:
            pieces.append({"text": text})
        elif text in findings:
            url = getattr(findings[text], "link", "")
            own = {"url": url} if is_own_address(url) else {}
            pieces.append({"text": text_of(findings[text]), **own})
        else:
            pieces.append({"text": WITHHELD})
    return pieces


def finding_html(one: Finding, figure: str = "<b>{}</b>") -> SafeString:
    """The finding with its link. ``figure`` is how the text of a figure is set."""
    text = text_of(one)
    if isinstance(one, Day):
        return format_html('<span class="nowrap">{}</span>', text)
    inner = format_html("<bdi>{}</bdi>" if isinstance(one, Record) else figure, text)
    if not is_own_address(one.link):
        return inner
    if isinstance(one, Figure):
        return format_html(
            '<a class="nowrap" href="{}" title="{}">{}</a>', one.link, _origin(one), inner
        )
    return format_html('<a href="{}">{}</a>', one.link, inner)


def is_own_address(address: str) -> bool:
    """Whether it is a path of this site."""
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def _is_list(address: str) -> bool:
    try:
        return resolve(address.partition("?")[0]).url_name in _LISTS
    except Resolver404:
        return False


def _origin(figure: Figure) -> str:
    """What was counted, and the day at whose end."""
    day = "" if figure.day == clock.today() else f" At the end of {date_format(figure.day)}."
    label = figure.label if figure.label.endswith(".") else f"{figure.label}."
    return f"{label} {figure.basis}{day}".strip()


# Tables and charts -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownCell:
    html: SafeString
    is_number: bool = False


@dataclass(frozen=True)
class ShownTable:
    """``columns`` are headings, and whether what is below is a number. ``more`` rows are behind the
    link of the lookup."""

    title: str
    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[ShownCell, ...], ...]
    more: int


def shown_table(table: Table) -> ShownTable:
    """Without the columns that are empty in all rows."""
    used = [
        place for place in range(len(table.columns)) if any(row[place] != "" for row in table.rows)
    ]
    columns = tuple(
        (table.columns[place], any(_is_number(row[place]) for row in table.rows)) for place in used
    )
    rows = tuple(tuple(_shown_cell(row[place]) for place in used) for row in table.rows)
    return ShownTable(table.title, columns, rows, table.more)


def _shown_cell(cell: Cell) -> ShownCell:
    html = escape(cell) if isinstance(cell, str) else finding_html(cell, "{}")
    return ShownCell(html, _is_number(cell))


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, Figure | Comparison)


def chart_of(table: Table, key: str) -> parts.Chart | None:
    """The table's chart as the pages have it, with its first bars; None if it has none worth
    drawing."""
    data = table.chart
    if data is None or len(table.rows) < 2:
        return None
    first = MOST_BARS if len(table.rows) > MOST_BARS + 1 else len(table.rows)
    rows = [_chart_row(row, label) for row, label in zip(table.rows, data["labels"], strict=True)]
    known = [
        f"{label} {note}" for label, note in zip(data["labels"], data["notes"], strict=True) if note
    ]
    finding = ", ".join(known[:3])
    if len(known) > 3:
        finding = f"{finding} and {len(known) - 3} more"
    if first < len(table.rows):
        data = _shortened(data, first)
    width = len(rows[0].cells)
    return parts.Chart(
        key=key,
        title=table.title,
        finding=finding,
        empty="",
        columns=table.columns[-width:],
        rows=tuple(rows),
        data=data,
        note=f"The chart shows the first {first} of {len(rows)}." if first < len(rows) else "",
    )


def _shortened(data: dict[str, Any], length: int) -> dict[str, Any]:
    series = [
        {**one, **{name: one[name][:length] for name in ("values", "light", "dark")}}
        for one in data["series"]
    ]
    return {
        **data,
        "labels": data["labels"][:length],
        "notes": data["notes"][:length],
        "links": data["links"][:length],
        "series": series,
    }


def _chart_row(row: tuple[Cell, ...], label: str) -> parts.Row:
    """The label links to what the first figure opens."""
    start = next(place for place, cell in enumerate(row) if _is_number(cell))
    cells = tuple(
        parts.Cell(cell if isinstance(cell, str) else text_of(cell), _link(cell))
        for cell in row[start:]
    )
    return parts.Row(label, _link(row[0]), cells)


def _link(cell: Cell) -> parts.Link | None:
    address = getattr(cell, "link", "")
    return parts.Link(address) if is_own_address(address) else None


# Answers -----------------------------------------------------------------------------------------


@dataclass
class Renderer:
    """Makes parts of the events of one answer. ``turn`` tells its charts apart from those of other
    answers on the page; ``question`` and ``asker`` are for the links that ask in another way. Only
    one's own answers have ``thumbs``."""

    turn: str
    question: str
    asker: Asker
    is_own: bool = True
    thumbs: str = ""
    _charts: int = 0
    _is_brief: bool = False
    _said: list[str] = field(default_factory=list)

    def parts_of(self, events: Iterable[Event | Heading]) -> Iterator[Part]:
        choices: SafeString | None = None
        for event in events:
            if isinstance(event, Done) and choices:
                yield Part(BODY, choices, {})
            yield self._part(event)
            if isinstance(event, ReadingShown) and event.choices:
                choices = self._choices(event)

    def _part(self, event: Event | Heading) -> Part:
        match event:
            case Heading(text):
                self._said.append(text)
                self._is_brief = True
                return Part(BODY, format_html("<h4>{}</h4>", text), {"copy": text})
            case Status(text):
                return Part(STATUS, escape(text), {})
            case Sentence(text, findings):
                return self._sentence(text, findings)
            case Note(text):
                html = format_html('<p class="small text-secondary">{}</p>', text)
                return Part(BODY, html, {"copy": text})
            case Shown(found):
                return Part(BODY, self._found(found), {})
            case ReadingShown():
                return Part(READING, self._reading(event), {})
            case Refused(text):
                return Part(BODY, self._template("refused", {"text": text}), {"copy": text})
            case Done(asked, conversation, answered_by):
                context = {"asked": asked, "answered_by": answered_by}
                context |= {
                    "is_own": self.is_own,
                    "thumbs": self.thumbs,
                    "is_brief": self._is_brief,
                }
                values = {"asked": str(asked or ""), "conversation": str(conversation or "")}
                return Part(FOOT, self._template("foot", context), values)

    def _sentence(self, text: str, findings: Mapping[str, Finding]) -> Part:
        """The figure first: a short first sentence is large."""
        text = text[:1].upper() + text[1:]
        words = as_text(text, findings)
        is_large = not self._said and len(words) <= SHORT
        self._said.append(words)
        form = '<p class="fs-2">{}</p>' if is_large else "<p>{}</p>"
        html = format_html(form, as_html(text, findings))
        return Part(BODY, html, {"copy": words})

    def _found(self, found: Found) -> SafeString:
        """The table or chart of a lookup, and the link that opens it as a list."""
        chart = None
        if found.table:
            self._charts += 1
            chart = chart_of(found.table, f"ask-{self.turn}-{self._charts}")
        table = shown_table(found.table) if found.table and not chart else None
        link = found.link if is_own_address(found.link) else ""
        context = {"found": found, "chart": chart, "table": table, "link": link}
        extra = {
            "is_list": bool(link) and _is_list(link),
            "remarks": [one for one in found.remarks if one not in self._said],
        }
        return self._template("found", {**context, **extra})

    def _reading(self, event: ReadingShown) -> SafeString:
        """Chips of what was looked up; the words that were not understood of what was not."""
        is_read = event.reading.get("lookup") in LOOKUPS
        chips = changing.chips_of(event.reading, self.question, self.asker) if is_read else []
        return self._template("reading", {"chips": chips, "unread": event.unread})

    def _choices(self, event: ReadingShown) -> SafeString:
        choices = [
            (one.name, changing.address_of(self.question, self.asker.page, _of(event, one)))
            for one in event.choices
        ]
        return self._template("choices", {"choices": choices})

    def _template(self, name: str, context: dict[str, Any]) -> SafeString:
        context |= {"turn": self.turn, "is_grammar": context.get("answered_by") == GRAMMAR}
        return render_to_string(f"dashboard/ask/{name}.html", context)


def _of(event: ReadingShown, choice: Any) -> dict[str, Any]:
    """The reading of the record that was chosen, with what was asked of it."""
    record = {"lookup": "record", "kind": choice.kind, "pk": choice.pk, "name": choice.name}
    return {"term": event.reading.get("term", ""), **record}
