"""The queries of ``sql/`` and the generated measures give the product's figures on any day, in each
engine that reads the tables, whatever the time zone of its session. The engines are those of
requirements/warehouse-test.txt."""

import random
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from deltalake import DeltaTable

from dashboard import metrics
from dashboard.warehouse.checking import text_of
from dashboard.warehouse.semantic import sql
from dashboard.warehouse.semantic.metric_views import expression, metric_view
from oegen import audit
from oegen.core import clock
from pipelines.models import Facility, Pipeline, PipelineFacility
from tests.dashboard.warehouse.product import (
    assert_measures,
    assert_register_measures,
    make_editions,
    make_measured_portfolio,
)
from tests.support.builders import make_facility, make_pipeline
from tests.support.portfolios import make_random_portfolio

pytestmark = [pytest.mark.django_db, pytest.mark.heavy, pytest.mark.usefixtures("few_models")]

TABLES = (
    *("days", "facts_facility", "facts_project_facility", "history_pipeline"),
    *("history_facility", "history_pipelinefacility", "history_stage"),
)
ROOT = Path(__file__).parents[3]
ZONES = ("UTC", "America/New_York")

#: Around the ends of days on which clocks change in London, and in New York.
MOMENTS = [
    datetime(*when, tzinfo=UTC)
    for when in (
        *((2025, 10, 25, 22, 30), (2025, 10, 25, 23, 30), (2025, 10, 26, 0, 30)),
        *((2025, 10, 26, 23, 30), (2025, 10, 27, 0, 0), (2025, 11, 2, 5, 30)),
        *((2026, 3, 8, 6, 30), (2026, 3, 28, 23, 59), (2026, 3, 29, 0, 0)),
        *((2026, 3, 29, 22, 59), (2026, 3, 29, 23, 0), (2026, 3, 29, 23, 30)),
    )
]


def make_history(rng: random.Random) -> None:
    """Projects, links and sizes that change at ``MOMENTS`` and at random times of a year."""
    start = datetime(2025, 9, 1, tzinfo=UTC)
    moments = MOMENTS + [start + timedelta(minutes=rng.randint(0, 560_000)) for _ in range(60)]
    for number, moment in enumerate(sorted(moments)):
        with audit.change_set(source=audit.Source.IMPORT, recorded_at=moment):
            _write(rng, number)


def _write(rng: random.Random, number: int) -> None:
    mw = Decimal(rng.randint(1, 99_999)) / 1000
    known = list(Pipeline.objects.filter(project_name__startswith="Moment"))
    match rng.randrange(4) if known else 0:
        case 0:
            make_pipeline(f"Moment {number}", technology="wind", capacity_mw=mw)
        case 1:
            facility = rng.choice(list(Facility.objects.filter(name__startswith="Moment")))
            facility.capacity_mw = mw
            facility.save()
        case 2:
            facility = make_facility(f"Moment {number}", "solar", capacity_mw=mw)
            for pipeline in rng.sample(known, min(2, len(known))):
                PipelineFacility.objects.create(pipeline=pipeline, facility=facility)
        case 3:
            pipeline = rng.choice(known)
            pipeline.on_hold = not pipeline.on_hold
            pipeline.on_hold_reason = "Grid" if pipeline.on_hold else ""
            pipeline.save()


@pytest.fixture
def expected(warehouse) -> dict[date, metrics.Total]:
    """What is open at the end of each day, of 50 random ones and all around clock changes."""
    rng = random.Random(19)
    make_random_portfolio(3, size=15)
    make_history(rng)
    warehouse.sync()
    days = {moment.date() + timedelta(days=more) for moment in MOMENTS for more in (-1, 0, 1)}
    while len(days) < 50:
        days.add(date(2025, 9, 1) + timedelta(days=rng.randint(0, 450)))
    found = {}
    for day in sorted(one for one in days if one <= clock.today()):
        with metrics.portfolio(Pipeline.objects.all, day) as then:
            found[day] = metrics.headline(then).open
    return found


def assert_same(expected: dict[date, metrics.Total], run: Callable[[str], list[tuple]]) -> None:
    for day, total in expected.items():
        mw, facilities = total.capacity.mw, total.capacity.facilities
        rows = run(text_of("open_capacity", day))
        assert sum(row[2] for row in rows) == facilities, day
        assert sum(row[3] or 0 for row in rows) == mw, day
        assert round(sum(row[5] or 0 for row in rows), 3) == round(total.net.mw, 3), day
        [(number, sum_)] = run(text_of("open_capacity_from_history", day))
        assert (number, sum_ or 0) == (facilities, mw), day


def test_duckdb(warehouse, expected):
    duckdb = import_module("duckdb")
    for zone in ZONES:
        session = duckdb.connect()
        session.execute(f"SET TimeZone = '{zone}'")
        for name in TABLES:
            session.register(name, warehouse.table(name).to_pyarrow_dataset())
        assert_same(expected, lambda sql, session=session: session.execute(sql).fetchall())


@pytest.fixture
def spark(monkeypatch) -> Iterator[Callable]:
    """What starts a session of Spark SQL in a time zone."""
    # The client takes a main module without a file, such as that of pytest-xdist, for a doctest,
    # and then looks for Spark itself.
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
    server = import_module("pysail.spark").SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    sessions = []

    def start(zone: str):
        builder = import_module("pyspark.sql").SparkSession.builder
        session = builder.remote(f"sc://127.0.0.1:{port}").create()
        session.conf.set("spark.sql.session.timeZone", zone)
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.stop()
    server.stop()


def test_measures_in_sql(warehouse):
    """The generated SQL in an engine that the check does not use."""
    make_measured_portfolio()
    make_editions()
    warehouse.sync()
    session = import_module("duckdb").connect()
    for name in (*TABLES, "facts_holder", "register_projects"):
        session.register(name, warehouse.table(name).to_pyarrow_dataset())
    for number in (0, 1, 30, 80):
        assert_measures(
            clock.today() - timedelta(days=number),
            sql.query,
            lambda query: session.sql(query).to_arrow_table().to_pylist(),
        )
    assert_register_measures(
        sql.register_query, lambda query: session.sql(query).to_arrow_table().to_pylist()
    )


def test_the_programs_of_the_documentation_run(warehouse, monkeypatch, capsys):
    make_measured_portfolio()
    warehouse.sync()
    monkeypatch.chdir(ROOT)
    text = Path("docs/warehouse.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        assert "/srv/warehouse" in program
        exec(program.replace("/srv/warehouse", warehouse.destination.url), {})  # noqa: S102
        assert "technology" in capsys.readouterr().out


def in_metric_view(measure, day: date, by=(), where=()) -> str:
    """What Databricks makes of a query of a metric view: groups over its source."""
    columns = "".join(f"{column}, " for column in by)
    source = metric_view(measure.table, "")["source"]
    conditions = [f"day = DATE '{day}'", *map(sql.condition, where)]
    text = (
        f"SELECT {columns}{expression(measure)} AS value "  # noqa: S608
        f"FROM ({source}) AS facts WHERE {' AND '.join(conditions)}"
    )
    return f"{text} GROUP BY {columns.rstrip(', ')}" if by else text


def in_register_view(measure, by=()) -> str:
    columns = "".join(f"{column}, " for column in by)
    text = f"SELECT {columns}{expression(measure)} AS value FROM register_projects"  # noqa: S608
    return f"{text} GROUP BY {columns.rstrip(', ')}" if by else text


@pytest.mark.filterwarnings("ignore:PySpark does not yet:FutureWarning")
def test_measures_of_metric_views(warehouse, spark):
    """Their expressions in Spark SQL. Databricks itself is not here."""
    make_measured_portfolio()
    make_editions()
    warehouse.sync()
    session = spark("America/New_York")
    for name in (*TABLES, "facts_holder", "register_projects"):
        url = warehouse.destination.of(name)
        session.read.format("delta").load(url).createOrReplaceTempView(name)
    for number in (0, 1, 30, 80):
        assert_measures(
            clock.today() - timedelta(days=number),
            in_metric_view,
            lambda query: [row.asDict() for row in session.sql(query).collect()],
        )
    assert_register_measures(
        in_register_view, lambda query: [row.asDict() for row in session.sql(query).collect()]
    )


@pytest.mark.filterwarnings("ignore:PySpark does not yet:FutureWarning")
def test_spark(warehouse, expected, spark):
    for zone in ZONES:
        session = spark(zone)
        for name in TABLES:
            url = warehouse.destination.of(name)
            session.read.format("delta").load(url).createOrReplaceTempView(name)
        assert_same(
            expected,
            lambda sql, session=session: [tuple(row) for row in session.sql(sql).collect()],
        )


def test_polars(warehouse, expected):
    """Without SQL: by the columns that every table of facts has."""
    polars = import_module("polars")

    def frame(name: str, zone: str):
        table = polars.from_arrow(DeltaTable(warehouse.destination.of(name)).to_pyarrow_table())
        times = [one for one, kind in table.schema.items() if kind == polars.Datetime("us", "UTC")]
        return table.with_columns(polars.col(times).dt.convert_time_zone(zone))

    for zone in ZONES:
        days, facts = frame("days", zone), frame("facts_facility", zone)
        ends = dict(days.select("day", "ends_at").iter_rows())
        for day, total in expected.items():
            end = polars.lit(ends[day]).dt.convert_time_zone(zone)
            known = facts.filter((polars.col("valid_from") < end) & (polars.col("valid_to") >= end))
            capacity = total.capacity
            assert (known.height, known["capacity_mw"].sum() or 0) == (
                capacity.facilities,
                capacity.mw,
            ), day
