"""What the product says, to compare measures over the tables with."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from dashboard.charts import Lists
from dashboard.charts.parts import NOT_RATED
from dashboard.figures import FIGURES
from dashboard.figures.figure import Finding, Source
from dashboard.metrics import portfolio
from dashboard.warehouse.semantic.measures import GROUPINGS, MEASURES
from dashboard.warehouse.semantic.register_measures import REGISTER_MEASURES
from dashboard.warehouse.tables import NOBODY
from oegen import audit
from oegen.asof import as_of
from pipelines.models import Pipeline
from pipelines.registers.models import RegisterProject
from tests.support.builders import make_pipeline
from tests.support.portfolios import make_awkward_portfolio, make_random_portfolio
from tests.support.registers import ingest_repd


def make_measured_portfolio() -> None:
    """Projects of all kinds, one of which was known, unconfirmed and larger on earlier days."""
    make_random_portfolio(7, size=15)
    make_awkward_portfolio()
    when = timezone.now() - timedelta(days=90)
    with audit.change_set(source=audit.Source.IMPORT, recorded_at=when):
        old = make_pipeline("Old", capacity_mw=Decimal("12.5"), rag_status="red", ownership_pct=40)
    facility = old.facilities.get()
    facility.capacity_mw = 3
    facility.save()


def make_editions() -> None:
    """Two, of which the newer one lacks a project; one never had a capacity."""
    rows = [
        {"Ref ID": str(number), "Installed Capacity (MWelec)": mw, "Region": region}
        for number, mw, region in (
            *((1, "40.00", "Wales"), (2, "7.25", "Wales"), (3, "", "Wales"), (4, "9.5", "London")),
            (5, "100.125", "Scotland"),
        )
    ]
    ingest_repd(date(2026, 1, 1), *rows)
    ingest_repd(date(2026, 4, 1), *rows[:-1])


def findings(day: date, names: set[str]) -> dict[str, Finding]:
    """What the product says at the end of that day."""
    with as_of(day), portfolio(Pipeline.objects.all) as now:
        source = Source(now, None, day, Lists({}), Pipeline.objects.all)
        return {name: FIGURES[name].read(source) for name in names}


def kilowatts(value: Any) -> Decimal:
    return round(Decimal(str(value or 0)), 3) + 0


def of_product(found: dict[str, Finding]) -> dict[str, Decimal]:
    values = {}
    for name, measure in MEASURES.items():
        if not measure.rows:
            finding = found[measure.figure_name]
            values[name] = kilowatts({"value": finding.value, **finding.parts}[measure.part])
    return values


def groups_of_product(name: str, finding: Finding) -> dict[tuple[str, ...], Decimal]:
    grouping, groups = GROUPINGS[name], {}
    for row in finding.rows or []:
        key = tuple(row[part] for part in grouping.keys)
        if row.get("holder") == "nobody":
            key = (NOBODY,)
        if row.get("holder") != "others" and kilowatts(row[grouping.part]):
            groups[key] = kilowatts(row[grouping.part])
    return groups


def groups_of_tables(name: str, rows: list[dict[str, Any]]) -> dict[tuple[str, ...], Decimal]:
    """As the figure has them: what is not rated is “none” there, and empty here."""
    groups = {}
    for row in rows:
        key = tuple(
            row[column] or (NOT_RATED if column == "rag_status" else None)
            for column in GROUPINGS[name].keys.values()
        )
        if kilowatts(row["value"]):
            groups[key] = kilowatts(row["value"])
    return groups


def assert_measures(
    day: date,
    write: Callable[..., str],
    run: Callable[[str], list[dict[str, Any]]],
) -> None:
    """Each measure, and each in groups, is what the product says of the end of that day. ``write``
    makes a query of a measure, the day, columns and conditions, as ``sql.query`` does."""
    found = findings(day, {one.figure_name for one in MEASURES.values()} | GROUPINGS.keys())
    values = {
        name: kilowatts(run(write(measure, day))[0]["value"])
        for name, measure in MEASURES.items()
        if not measure.rows
    }
    assert values == of_product(found), day
    for name, grouping in GROUPINGS.items():
        measure, columns = MEASURES[grouping.measure], list(grouping.keys.values())
        theirs = groups_of_tables(name, run(write(measure, day, columns, grouping.where)))
        ours = groups_of_product(name, found[name])
        if name == "capacity-by-counterparty":  # The figure has the ten largest holders.
            theirs = {key: value for key, value in theirs.items() if key in ours}
        assert theirs == ours, (day, name)


def assert_register_measures(
    write: Callable[..., str], run: Callable[[str], list[dict[str, Any]]]
) -> None:
    """Each measure of registers, and each by region, is what their list of projects has.
    ``write`` makes a query of a measure and columns, as ``sql.register_query`` does."""
    newest = RegisterProject.objects.filter(is_vanished=False)
    regions = set(newest.values_list("region", flat=True))
    assert len(regions) > 1
    for name, measure in REGISTER_MEASURES.items():
        [row] = run(write(measure))
        assert kilowatts(row["value"]) == _of_list(name, newest), name
        groups = {row["region"]: row["value"] for row in run(write(measure, ["region"]))}
        for region in regions:
            expected = _of_list(name, newest.filter(region=region))
            assert kilowatts(groups.get(region)) == expected, (name, region)


def _of_list(name: str, projects: Any) -> Decimal:
    capacity = projects.capacity()
    return kilowatts(
        {
            "register_projects": capacity.projects,
            "register_projects_without_capacity": capacity.without,
            "register_capacity_mw": capacity.mw,
            "register_capacity_mwp_dc": capacity.mwp_dc,
            "register_capacity_mw_ac": capacity.mw_ac,
        }[name]
    )
