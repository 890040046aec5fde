"""Every figure in the API is that of the dashboard."""

from contextlib import nullcontext
from datetime import date
from decimal import Decimal

import pytest
from django.http import HttpRequest, QueryDict

from dashboard import charts, metrics
from dashboard.figures import FIGURES, Compared
from dashboard.metrics import Total
from dashboard.report_content import by_country
from dashboard.views import TABS
from oegen import asof
from oegen.core.clock import a_month_before
from oegen.models import User
from pipelines.choices import RAG
from pipelines.filters import PipelineFilter
from pipelines.models import Pipeline, Technology
from tests.dashboard.api.support import (
    A_FEW,
    DAYS,
    FILTERS,
    HOST,
    QUERIES,
    SINCE,
    cells,
    client_of,
    read,
    row_cells,
    same,
    urls_in,
)
from tests.dashboard.metrics.reference import Reference
from tests.dashboard.test_drill_through import figures_of, links_in
from tests.support.portfolios import TODAY

pytestmark = pytest.mark.django_db


class Shown:
    """What the page shows for a query, before it is drawn."""

    def __init__(self, query: dict, reader: User):
        request = HttpRequest()
        request.user = reader
        data = QueryDict(mutable=True)
        for name, values in query.items():
            data.setlist(name, values if isinstance(values, list) else [values])
        self.since = date.fromisoformat(query.get("compare") or str(SINCE))
        if "as_of" in query:
            self.since = a_month_before(date.fromisoformat(query["as_of"]))

        def select():
            return PipelineFilter(data, queryset=Pipeline.objects.all(), request=request).qs

        with metrics.portfolio(select, self.since) as before, metrics.portfolio(select) as now:
            self.red_before = metrics.by_rag(before)[0].total
            self.all = now.total()
        found = {
            tab: metrics.overview(select, self.since, tab, filters=data.urlencode()) for tab in TABS
        }
        self.answer = found["health"].answer
        self.now, self.before = self.answer.headline, self.answer.before
        self.dates, self.sizes = found["dates"].tab, found["capacity"].tab
        self.risks = found["risks"].tab
        self.holders = found["counterparties"].tab.concentration
        self.countries = by_country(select().open())


def check_level(one: dict, now: Total, before: Total, attribute: str = "capacity") -> None:
    """A key figure: MW, or the number of projects."""
    then = one["compare"]
    if one["unit"] == "pipelines":
        assert (one["value"], then["value"]) == (now.pipelines, before.pipelines)
    else:
        amounts = [getattr(total, attribute).mw for total in (now, before)]
        assert [Decimal(one["value"]), Decimal(then["value"])] == amounts
    if attribute == "capacity":
        assert row_cells(one["parts"]) == cells(now)
        assert row_cells(then["parts"]) == cells(before)


def check_rows(one: dict, totals: list[Total], whole: Total | None) -> None:
    assert [row_cells(row) for row in one["rows"]] == [cells(total) for total in totals]
    assert one["value"] is None if whole is None else Decimal(one["value"]) == whole.capacity.mw


def check_slippage(one: dict, shown: Shown) -> None:
    found = shown.answer.slippage
    numbers = {name: getattr(found, name) for name in ("pipelines", "slipped", "later", "left")}
    assert one["parts"] == numbers
    assert same(found.weighted_days, one["value"])
    assert [(row["label"], row["slipped_days"]) for row in one["rows"]] == [
        (slip.name, slip.days) for slip in found.slips
    ]


def check_walk(one: dict, shown: Shown) -> None:
    walk = shown.sizes.walk
    assert Decimal(one["value"]) == walk.closing.mw - walk.opening.mw
    assert Decimal(one["parts"]["opening_mw"]) == walk.opening.mw
    assert Decimal(one["parts"]["residual_mw"]) == 0
    assert [(row["step"], row["facilities"], Decimal(row["change_mw"])) for row in one["rows"]] == [
        (step.code, step.facilities, step.change.mw) for step in walk.steps
    ]


def check_moves(one: dict, shown: Shown) -> None:
    known = {(move.start or "none", move.end or "none"): move for move in shown.answer.rag_moves}
    assert {(row["rag_was"], row["rag"]): row_cells(row) for row in one["rows"]} == {
        key: cells(move.total) for key, move in known.items()
    }


def check_stages(one: dict, shown: Shown) -> None:
    found = shown.answer.stages
    for row, time, result in zip(one["rows"], found.time, found.conversion, strict=True):
        assert row["stage"] == result.stage.code
        assert (row["median_days"], row["p80_days"]) == (time.median_days, time.p80_days)
        assert (row["entered"], row["went_on"]) == (result.entered, result.went_on)
        assert same(None if result.share is None else result.share * 100, row["conversion_pct"])


def check_baselines(one: dict, shown: Shown) -> None:
    found = shown.dates.baselines
    assert same(found.baseline.weighted_days, one["value"])
    assert one["parts"]["later"] == found.baseline.later
    assert [(row["label"], row["late_days"]) for row in one["rows"]] == [
        (late.name, late.days) for late in found.latest
    ]


def check_growth(one: dict, shown: Shown) -> None:
    found = shown.sizes.growth
    rows = {(row["technology"], row["line"], row["day"]): row for row in one["rows"]}
    for growth in found:
        code = growth.technology and growth.technology.code
        for line in ("reached", "scheduled"):
            for point in getattr(growth, line)[-1:]:
                assert same(point.mw, rows[code, line, str(point.day)]["cumulative_mw"])
        for outlook in growth.trend:
            assert same(outlook.high, rows[code, "trend", str(outlook.day)]["high_mw"])
    reached = found[0].reached if found else ()
    assert same(reached[-1].mw if reached else 0, one["value"])


def check_holders(one: dict, shown: Shown) -> None:
    found = shown.holders
    held = [*found.holdings, *([found.others] if found.number_of_others else [])]
    held += [found.unheld] if found.unheld.held_mw else []
    assert [Decimal(row["held_mw"]) for row in one["rows"]] == [each.held_mw for each in held]
    check_rows(one, [each.total for each in held], shown.now.open)


def check_countries(one: dict, shown: Shown) -> None:
    assert [(row["country"] or "", Decimal(row["capacity_mw"])) for row in one["rows"]] == [
        (code, capacity.mw) for code, _, capacity in shown.countries
    ]


def check_attention(one: dict, shown: Shown) -> None:
    found = shown.answer.attention
    assert (one["value"], one["parts"]) == (found.pipelines, {"urgent": found.urgent})
    if one["name"] == "attention":
        assert {row["reason"]: row["pipelines"] for row in one["rows"]} == found.by_reason
    else:
        assert [(row["label"], row["reasons"]) for row in one["rows"]] == [
            (needing.name, list(needing.reasons)) for needing in found.first
        ]


def check_heat(one: dict, shown: Shown) -> None:
    check_rows(one, [cell for _, row in shown.sizes.heat.rows for cell in row], None)


def by_stage_and_rag(shown: Shown) -> list[Total]:
    open_codes = [group.code for group in shown.answer.statuses if group.is_open]
    known = shown.answer.by_status_and_rag
    return [known.get((code, rag), Total()) for code in open_codes for rag in (*RAG.values, "")]


def by_year_and_technology(shown: Shown) -> list[Total]:
    known = [group.technology for group in shown.dates.technologies if group.technology]
    parts = [group.by_technology.get(one.pk) for group in shown.dates.years for one in known]
    return [part for part in parts if part]


def red(shown: Shown) -> Total:
    return shown.answer.rag[0].total


CHECKS = {
    **{
        f"{part.replace('_', '-')}-{kind}": lambda one, shown, part=part: check_level(
            one, getattr(shown.now, part), getattr(shown.before, part)
        )
        for part in ("open", "on_hold", "completed", "overdue", "unconfirmed")
        for kind in ("capacity", "pipelines")
    },
    **{
        f"{part.replace('_', '-')}-capacity": lambda one, shown, part=part: check_level(
            one, shown.now.open, shown.before.open, part
        )
        for part in ("net", "weighted", "net_weighted")
    },
    **{
        f"red-{kind}": lambda one, shown: check_level(one, red(shown), shown.red_before)
        for kind in ("capacity", "pipelines")
    },
    "capacity-by-rag": lambda one, shown: check_rows(
        one, [group.total for group in shown.answer.rag], shown.now.open
    ),
    "capacity-by-status": lambda one, shown: check_rows(
        one, [group.total for group in shown.answer.statuses], shown.all
    ),
    "capacity-by-status-and-rag": lambda one, shown: check_rows(
        one, by_stage_and_rag(shown), shown.now.open
    ),
    "capacity-by-technology": lambda one, shown: check_rows(
        one, [group.total for group in shown.sizes.technologies], shown.now.open
    ),
    "capacity-by-technology-and-status": check_heat,
    "capacity-by-rtb-year": lambda one, shown: check_rows(
        one, [group.total for group in shown.dates.years], shown.now.open
    ),
    "capacity-by-rtb-year-and-technology": lambda one, shown: check_rows(
        one, by_year_and_technology(shown), shown.now.open
    ),
    "capacity-by-country": check_countries,
    "capacity-by-counterparty": check_holders,
    "mw-walk": check_walk,
    "rag-movement": check_moves,
    **{
        name: lambda one, shown, direction=direction: same(
            charts.movement.re_rated(shown.answer.rag_moves, direction), one["value"]
        )
        for name, direction in (("worsened-pipelines", "worse"), ("improved-pipelines", "better"))
    },
    "rtb-slippage": check_slippage,
    "changes": lambda one, shown: (
        {row["kind"]: row["pipelines"] for row in one["rows"]} == shown.answer.changes
    ),
    "stages": check_stages,
    "baselines": check_baselines,
    "attention": check_attention,
    "attention-first": check_attention,
    "forecast": check_growth,
    "information-points-by-rating": lambda one, shown: check_rows(
        one, [each.total for each in shown.risks.top_points], None
    ),
    "exposure": lambda one, shown: check_rows(
        one, [each.total for each in shown.risks.exposures], None
    ),
    "information-points": lambda one, shown: (
        [(row["impact"], row["likelihood"], row["information_points"]) for row in one["rows"]]
        == list(shown.risks.point_counts)
    ),
}


@pytest.fixture(scope="module")
def every(reader) -> dict[str, dict]:
    """Every figure of all projects."""
    api = client_of(reader)
    return {name: read(api, name) for name in FIGURES}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (QUERIES["past-filtered"], A_FEW),
        *(
            pytest.param(query, tuple(FIGURES), marks=pytest.mark.heavy, id=name)
            for name, query in QUERIES.items()
        ),
        *(
            pytest.param(
                dict(QueryDict(filters).lists()) | ({} if day == TODAY else {"as_of": str(day)}),
                tuple(FIGURES),
                marks=pytest.mark.heavy,
                id=f"{filters} {day}",
            )
            for filters in FILTERS
            for day in DAYS
        ),
    ],
)
def test_figures_with_filters_are_those_of_the_dashboard(api, reader, query, names):
    check({name: read(api, name, query) for name in names}, query, reader)


def test_every_figure_is_that_of_the_dashboard(every, reader):
    assert set(CHECKS) == set(FIGURES)
    check(every, {}, reader)


def check(found: dict[str, dict], query: dict, reader: User) -> None:
    day = date.fromisoformat(query.get("as_of", str(TODAY)))
    with asof.as_of(day) if day != TODAY else nullcontext():
        shown = Shown(query, reader)
    for name, one in found.items():
        assert CHECKS[name](one, shown) is not False, name
        assert one["as_of"] == str(day)
        assert "zebedee" not in str(one).lower(), "a person's name"
        compares = FIGURES[name].compared is not Compared.NOTHING
        assert (one["compare"] and one["compare"]["day"]) == (
            str(shown.since) if compares else None
        )


def test_the_dashboard_links_nowhere_that_the_figures_do_not(every, api, client):
    """So no figure of the page is missing here, and the links are the same."""
    found = {url for one in every.values() for url in urls_in(one)}
    links = {
        link for value in figures_of(client).values() for link in links_in(value) if link.pipelines
    }
    assert len(links) > 40
    assert {f"{HOST}{link.url}" for link in links} <= found


def test_figures_equal_the_reference_in_plain_python(api):
    reference = Reference(TODAY)
    opened = reference.open()
    states = reference.grouped(reference.pipelines, reference.state)
    for name, pipelines in {
        "open": opened,
        "on-hold": states["on-hold"],
        "overdue": [one for one in opened if reference.is_overdue(one)],
        "red": [one for one in opened if one.rag_status == "red"],
    }.items():
        assert pipelines, name
        total = reference.total(pipelines)
        one = read(api, f"{name}-capacity")
        assert (Decimal(one["value"]), row_cells(one["parts"])) == (
            total.capacity.mw,
            cells(total),
        )
        assert read(api, f"{name}-pipelines")["value"] == len(pipelines)
    total = reference.total(opened)
    assert Decimal(read(api, "net-capacity")["value"]) == total.net.mw
    assert Decimal(read(api, "weighted-capacity")["value"]) == total.weighted.mw
    assert Decimal(read(api, "net-weighted-capacity")["value"]) == total.net_weighted.mw
    for row in read(api, "capacity-by-technology")["rows"]:
        key = Technology.objects.filter(code=row["technology"]).values_list("pk", flat=True).first()
        those = reference.with_technology(opened, key)
        assert row_cells(row) == cells(reference.total(those, key)), row["technology"]
    held, _ = reference.held(opened)
    rows = read(api, "capacity-by-counterparty")["rows"]
    assert len(rows) == 12, "ten holders, the others, nobody"
    for row in rows[:10]:
        holder = next(key for key in held if str(key) == row["counterparty_id"])
        assert same(held[holder], row["held_mw"])
    days = {key: late for key, (late, *_) in reference.baselines().items()}
    assert same(reference.mean_by_capacity(days), read(api, "baselines")["value"])
