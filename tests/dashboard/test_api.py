"""The figures in the API are those of the dashboard, and lead to the same records."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.utils import timezone
from rest_framework.test import APIClient

from dashboard import charts, metrics
from dashboard.figures import FIGURES, Compared
from dashboard.metrics import Total
from dashboard.report_content import by_country
from dashboard.views import TABS
from oegen import asof
from oegen.core.clock import a_month_before
from oegen.people import roles
from pipelines.choices import RAG
from pipelines.filters import PipelineFilter
from pipelines.models import (
    CounterpartyRole,
    Facility,
    Pipeline,
    Stage,
)
from tests.dashboard.test_drill_through import figures_of, links_in
from tests.support.builders import (
    make_counterparty,
    make_information_point,
    make_milestone,
    make_pipeline,
    make_user,
)
from tests.support.portfolios import TODAY, make_awkward_portfolio

pytestmark = pytest.mark.django_db

SINCE = a_month_before(TODAY)
YESTERDAY = TODAY - timedelta(days=1)
METRICS = "/api/v1/metrics/"
HOST = "http://testserver"


@pytest.fixture(scope="module")
def clock():
    """Sets the clock to noon of a day."""
    with pytest.MonkeyPatch.context() as patch:

        def at(day: date):
            moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            patch.setattr(timezone, "now", lambda: moment)

        yield at


@pytest.fixture(scope="module")
def reader(module_db, clock):
    """A manager, and the portfolio that the tests read: facilities shared between stages, and what
    has changed since the comparison day, the last of it today."""
    clock(SINCE - timedelta(days=1))
    for code, share in {"discovery": 10, "design": 40, "procurement": 70}.items():
        Stage.objects.filter(code=code).update(default_probability_pct=share)
    make_awkward_portfolio()
    reader = make_user(roles.MANAGERS, "morgan")
    Facility.objects.filter(technology__code="solar").update(country="GB")
    solar, twin = (
        Pipeline.objects.get(project_name=n) for n in ("Solar and storage", "Twin of it")
    )
    lead, owner = CounterpartyRole.objects.filter(code__in=["lead-developer", "owner"])
    solar.counterparty_links.create(counterparty=make_counterparty("Larch"), role=lead)
    twin.counterparty_links.create(
        counterparty=make_counterparty("Rowan"), role=owner, share_pct=Decimal("66.67")
    )
    for number in range(11):
        one = make_counterparty(f"Company {number}")
        make_pipeline(f"Led {number}", capacity_mw=5 + number, lead_developer=one, ownership_pct=50)
    for impact in (20, 90):
        make_information_point(f"Point {impact}", impact=impact).pipelines.add(solar, twin)
    make_information_point("Closed", status="closed").pipelines.add(solar)
    make_milestone(kind="rtb", pipeline=twin, baseline_on="2027-06-01")
    clock(TODAY - timedelta(days=3))
    change("Solar and storage", rtb_date=date(2027, 8, 1), rag_status="amber")
    change("Same battery, later", rag_status="red", stage=Stage.objects.get(code="procurement"))
    change("Late but building", stage=Stage.objects.get(code="completed"))
    make_pipeline("New", technology="bess", capacity_mw=20, rag_status="green")
    clock(TODAY)
    change("No date", on_hold=True, on_hold_reason="Grid")
    change("Overdue", rag_status="red")
    return reader


def change(name: str, **values) -> None:
    pipeline = Pipeline.objects.get(project_name=name)
    for field, value in values.items():
        setattr(pipeline, field, value)
    pipeline.save()


@pytest.fixture
def api(reader, client) -> APIClient:
    cache.clear()
    client.force_login(reader)
    api = APIClient()
    api.force_authenticate(reader)
    return api


def read(api: APIClient, name: str, query: dict | None = None) -> dict:
    answer = api.get(f"{METRICS}{name}/", query or {})
    assert answer.status_code == 200, (name, answer.json())
    return answer.json()


QUERIES = {
    "all": {},
    "solar": {"technology": "solar"},
    "red": {"rag": ["red", "amber"], "status": "open"},
    "large": {"capacity_min": "8", "responsible": "no one", "compare": str(YESTERDAY)},
    "past": {"as_of": str(YESTERDAY)},
    "past-solar": {"as_of": str(YESTERDAY), "technology__not": "wind", "also": "status=open"},
}

# What the dashboard shows -----------------------------------------------------------------------


class Shown:
    """What the page shows for a query, before it is drawn."""

    def __init__(self, query: dict):
        data = QueryDict(mutable=True)
        for name, values in query.items():
            data.setlist(name, values if isinstance(values, list) else [values])
        self.since = date.fromisoformat(query.get("compare") or str(SINCE))
        if "as_of" in query:
            self.since = a_month_before(YESTERDAY)

        def select():
            return PipelineFilter(data, queryset=Pipeline.objects.all()).qs

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


def cells(total: Total) -> tuple:
    """A total as rows have it."""
    one = total.capacity
    sizes = one.mw, one.mwp_dc, one.mw_ac, one.storage_mw, one.storage_mwh
    return (total.pipelines, *sizes, one.facilities, one.facilities_without_capacity)


def row_cells(row: dict) -> tuple:
    sizes = "capacity_mw", "capacity_mwp_dc", "capacity_mw_ac", "storage_mw", "storage_mwh"
    return (
        row["pipelines"],
        *(Decimal(row[name]) for name in sizes),
        row["facilities"],
        row["facilities_without_capacity"],
    )


def same(shown, found) -> bool:
    return (
        found is None if shown is None else abs(Decimal(found) - Decimal(shown)) < Decimal("0.001")
    )


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


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_every_figure_is_that_of_the_dashboard(api, query):
    day = date.fromisoformat(query.get("as_of", str(TODAY)))
    found = {name: read(api, name, query) for name in FIGURES}
    if day == TODAY:
        shown = Shown(query)
    else:
        with asof.as_of(day):
            shown = Shown(query)
    assert set(CHECKS) == set(FIGURES)
    for name, check in CHECKS.items():
        one = found[name]
        assert check(one, shown) is not False, name
        assert one["as_of"] == str(day)
        compares = FIGURES[name].compared is not Compared.NOTHING
        assert (one["compare"] and one["compare"]["day"]) == (
            str(shown.since) if compares else None
        )


# Links ------------------------------------------------------------------------------------------


def urls_in(one: dict) -> Iterator[tuple[str, dict, str]]:
    """The addresses of a figure, each with what it belongs to and the name of its key."""
    yield one["url"], one, "url"
    for row in one["rows"] or []:
        for key, value in row.items():
            if key.endswith("url") and value:
                yield value, row, key


def test_the_dashboard_links_nowhere_that_the_figures_do_not(api, client):
    """So no figure of the page is missing here, and the links are the same."""
    found = {url for name in FIGURES for url, *_ in urls_in(read(api, name))}
    links = {
        link for value in figures_of(client).values() for link in links_in(value) if link.pipelines
    }
    assert len(links) > 40
    assert {f"{HOST}{link.url}" for link in links} <= found


def wrong_links(client, one: dict) -> list:
    """The addresses of a figure whose page does not list what it counts."""
    wrong = []
    for url, thing, key in set_of(urls_in(one)):
        place = urlsplit(url)
        page = client.get(f"{place.path}?{place.query}", headers={"HX-Request": "true"})
        assert page.status_code == 200, url
        number = thing.get(key.removesuffix("_url")) if key != "url" else None
        if thing is one:
            number = counted_by(one)
        elif key == "url":
            number = thing.get("information_points", thing.get("pipelines"))
        if number is None or "/changes/" in url:
            continue
        listed = page.context["total"], page.context["is_wrong"]
        if listed != (number, False):
            wrong.append((url, number, listed))
        mw = (one["parts"] if thing is one else thing).get("capacity_mw")
        if mw is None or "technology=" in url:
            continue
        if not same(page.context["capacity"].mw, mw):
            wrong.append((url, mw, page.context["capacity"].mw))
    return wrong


def set_of(urls) -> list:
    """Those that count something."""
    return [one for one in urls if one[1].get("pipelines", 1) and one[1].get("facilities", 1)]


def counted_by(one: dict) -> int | None:
    if one["unit"] in ("pipelines", "information points") and isinstance(one["value"], int):
        return one["value"]
    if one["name"] == "baselines":
        return one["parts"]["later"]
    return None if one["name"] == "rtb-slippage" else one["parts"].get("pipelines")


#: Of every kind of link.
A_FEW = ("open-capacity", "capacity-by-rag", "overdue-pipelines", "rag-movement", "baselines")
A_FEW += ("worsened-pipelines", "attention", "exposure", "information-points", "mw-walk", "stages")


@pytest.mark.parametrize(
    ("names", "query"),
    [
        (A_FEW, {}),
        *(
            pytest.param(tuple(FIGURES), query, marks=pytest.mark.heavy, id=name)
            for name, query in QUERIES.items()
        ),
    ],
)
def test_every_address_opens_what_its_figure_counts(api, client, names, query):
    for name in names:
        one = read(api, name, query)
        assert wrong_links(client, one) == [], name
        if "as_of" in query:
            assert all(f"as_of={YESTERDAY}" in url for url, *_ in urls_in(one)), name
