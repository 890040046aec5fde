"""The set Metrics has the numbers of the figures."""

import pytest

from dashboard.charts import Lists
from dashboard.figures import FIGURES, read_figure
from oegen.api.odata.query import read_page, read_query
from oegen.api.odata.sets import SETS
from oegen.core import clock
from pipelines.models import Pipeline

pytestmark = pytest.mark.django_db


def test_each_number_of_each_figure_is_a_row(awkward_portfolio):
    page = read_page(read_query(SETS["Metrics"], [], personal=False))
    names = [column.name for column in page.columns]
    rows = [dict(zip(names, row, strict=True)) for row in page.rows]
    known = {
        (row["figure"], row["row_number"], row["measure"]): float(row["value"]) for row in rows
    }
    assert len(known) == len(rows)
    since = clock.a_month_before(clock.today())
    expected = {}
    for figure in FIGURES.values():
        found, _ = read_figure(figure, Pipeline.objects.all, since, Lists({}))
        if found.value is not None:
            expected[figure.name, 0, "value"] = float(found.value)
        for place, row in enumerate(found.rows or [], 1):
            for name in ("pipelines", "capacity_mw", "median_days", "cumulative_mw", "held_mw"):
                if row.get(name) is not None:
                    expected[figure.name, place, name] = float(row[name])
    assert expected.items() <= known.items()
    assert ("open-capacity", 0, "value") in expected
    [red] = [
        row
        for row in rows
        if (row["figure"], row["label"]) == ("capacity-by-rag", "Red")
        and row["measure"] == "capacity_mw"
    ]
    assert red["dimensions"] == "rag=red"
