"""The ranking of the companies in public registers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.text import get_text_list

from counterparties.models import Counterparty
from oegen import exports
from oegen.core import clock, sql
from oegen.core.addresses import address_of
from oegen.core.words import count
from oegen.pages import downloads
from oegen.pages.filters import DefaultFilter
from oegen.pages.lists import DownloadedPage
from pipelines.registers.choices import Phase
from pipelines.registers.filters import MAIN, CompanyFilter
from pipelines.registers.market import (
    MEASURES,
    NOTHING,
    TO_BE_BUILT,
    Market,
    Standing,
    Standings,
    kept_market,
)
from pipelines.registers.models import Match, Register, RegisterCompany, RegisterProject
from pipelines.registers.models.edition import stored_editions
from pipelines.registers.phases import STAGES
from pipelines.registers.version import keep_with_registers

PAGE_SIZE = 50

#: The companies whose share of the market together is given.
LARGEST = 10

#: By how much companies are ranked, and by what the edition changed.
ORDERS = {"mw": "Ranking", "change": "Movers"}


@dataclass(frozen=True)
class Cell:
    """What a company has of a measure, with the address of its projects."""

    measure: str
    label: str
    standing: Standing
    url: str

    @property
    def mw(self) -> Decimal:
        return Decimal(str(self.standing.mw))


@dataclass(frozen=True)
class Row:
    rank: int
    name: str
    url: str
    is_known: bool
    cells: list[Cell]
    share_pct: float | None
    change: Decimal


@dataclass(frozen=True)
class Ranking:
    """A page of the ranking, and what is said of all of it."""

    page: int = 1
    total: int = 0
    everything: Standing = NOTHING
    largest_mw: float = 0
    companies: Sequence[tuple[UUID, Standings]] = ()


class Competitors(DownloadedPage):
    """The companies of the filtered projects, ranked by MW of a phase (``?of=``) or by what the
    newest edition changed (``?by=change``)."""

    queryset = RegisterProject.objects.order_by()
    filterset_class = CompanyFilter
    section = "competitors"
    default_filter = DefaultFilter("register", MAIN, "in the largest register of each country")
    template_name = "registers/competitors.html"
    state_template_name = "registers/parts/competitors_state.html"
    switch_template_name = "registers/parts/switch.html"
    page_parameters = DownloadedPage.page_parameters | {"of", "by"}

    @property
    def measure(self) -> str:
        asked = self.request.GET.get("of", "")
        return asked if asked in MEASURES else TO_BE_BUILT

    @property
    def by_change(self) -> bool:
        return self.request.GET.get("by") == "change"

    def market(self) -> Market:
        return kept_market(self.object_list, self._filters)

    @cached_property
    def _filters(self) -> list[tuple[str, str]]:
        active = self.filterset.active_values
        return [(name, value) for name, values in active.items() for value in values]

    def ranking(self) -> Ranking:
        market = self.market()
        ranked = market.ranked(self.measure, by_change=self.by_change)
        page = Paginator(ranked, PAGE_SIZE).get_page(self.request.GET.get("page"))
        largest = market.ranked(self.measure)[:LARGEST]
        return Ranking(
            page=page.number,
            total=len(ranked),
            everything=market.everything.get(self.measure, NOTHING),
            largest_mw=sum(market.companies[key][self.measure].mw for key in largest),
            companies=[(sql.uuid_of(key), market.companies[key]) for key in page.object_list],
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        ranking = Ranking()
        if not context["is_wrong"]:
            order = (self.measure, self.by_change, self.request.GET.get("page"))
            ranking = keep_with_registers(self.ranking, "ranking", urlencode(self._filters), *order)
        registers = self.filterset.registers
        everything = ranking.everything
        return context | {
            "page": Paginator(range(ranking.total), PAGE_SIZE).page(ranking.page),
            "rows": list(self.rows(ranking)),
            "measures": [
                (code, label, self._url(of=code), code == self.measure)
                for code, label in MEASURES.items()
            ],
            "orders": [
                (label, self._url(by=code), (code == "change") == self.by_change)
                for code, label in ORDERS.items()
            ],
            "measure": MEASURES[self.measure],
            "by_change": self.by_change,
            "total": ranking.total,
            "everything": everything,
            "everything_url": self.projects_url(self.measure),
            "largest": LARGEST,
            "largest_pct": round(100 * ranking.largest_mw / everything.mw)
            if everything.mw
            else None,
            "registers": registers,
            "editions": [(one, *newest_days(one)) for one in registers],
            "counted_twice": get_text_list(
                [str(one) for one in self.filterset.may_count_twice], "and"
            ),
            "licences": registers,
            "status_text": count(ranking.total, "company", "companies"),
        }

    def rows(self, ranking: Ranking) -> Iterator[Row]:
        keys = [key for key, _ in ranking.companies]
        names = dict(RegisterCompany.objects.filter(pk__in=keys).values_list("pk", "name"))
        known = counterparties_of(keys)
        urls = {code: self.projects_url(code) for code in MEASURES}
        everything = ranking.everything.mw
        for rank, (key, standings) in enumerate(
            ranking.companies, start=1 + (ranking.page - 1) * PAGE_SIZE
        ):
            own = standings.get(self.measure, NOTHING)
            yield Row(
                rank=rank,
                name=names.get(key, ""),
                url=address_of("competitor", key),
                is_known=key in known,
                cells=[
                    Cell(code, label, standings.get(code, NOTHING), f"{urls[code]}&owner={key}")
                    for code, label in MEASURES.items()
                ],
                share_pct=100 * own.mw / everything if everything else None,
                change=Decimal(str(own.change)),
            )

    def _url(self, **values: str) -> str:
        query = self.request.GET.copy()
        query.pop("page", None)
        for name, value in values.items():
            query[name] = value
        return f"?{query.urlencode()}"

    def projects_url(self, measure: str) -> str:
        """The list of the projects behind a figure."""
        phases = [str(phase) for phase in STAGES] if measure == TO_BE_BUILT else [measure]
        query = [*self._filters, *(("phase", phase) for phase in phases)]
        return f"{reverse('register-projects')}?{urlencode(query)}"

    def download(self, kind: str) -> HttpResponseBase:
        """All companies of the ranking, with licence and attribution on each row."""
        market = self.market()
        ranked = market.ranked(self.measure, by_change=self.by_change)
        names = {str(key): name for key, name in RegisterCompany.objects.values_list("pk", "name")}
        licence = " ".join(
            f"{one.attribution} ({one.licence_name})" for one in self.filterset.registers
        )
        columns = [
            exports.FileColumn("Company", exports.NAME_WIDTH),
            *(
                exports.FileColumn(
                    f"{label}, MW/MWp", exports.NUMBER_WIDTH, exports.number_format("", 1)
                )
                for label in MEASURES.values()
            ),
            exports.FileColumn("Projects to be built or built", exports.NUMBER_WIDTH),
            exports.FileColumn("Change of it, MW/MWp", exports.NUMBER_WIDTH),
            exports.FileColumn("Licence and attribution", exports.TEXT_WIDTH),
        ]

        def rows():
            for key in ranked:
                standings = market.companies[key]
                yield (
                    names.get(str(sql.uuid_of(key)), ""),
                    *(_exact(standings.get(code, NOTHING).mw) for code in MEASURES),
                    sum(standings.get(phase, NOTHING).projects for phase in Phase),
                    _exact(standings.get(self.measure, NOTHING).change),
                    licence,
                )

        facts = [
            ("Ranked by", MEASURES[self.measure]),
            *((f"Filter: {chip.label}", chip.text) for chip in self.filterset.chips()),
            *(
                (f"Licence of {one}", f"{one.attribution} ({one.licence_name}, {one.licence_url})")
                for one in self.filterset.registers
            ),
        ]
        sheet = exports.Sheet("Companies of registers", columns, rows(), facts)
        return downloads.answer(self.request, sheet, kind, len(ranked))


def _exact(mw: float) -> Decimal:
    """The number for a file."""
    return Decimal(str(mw)).normalize() + 0


def counterparties_of(companies: list[UUID]) -> dict[UUID, UUID]:
    """The counterparties that companies of registers are, by accepted matches."""
    content_type = ContentType.objects.get_for_model(Counterparty)
    found = Match.objects.accepted().filter(company__in=companies, content_type=content_type)
    return dict(found.values_list("company", "object_id"))


def newest_days(register: Register) -> tuple[Any, Any]:
    """Of the newest edition and the one before; None for one that is not there."""
    days = [day for _, day in stored_editions(register, clock.past_day())]
    return (days[-1] if days else None, days[-2] if len(days) > 1 else None)
