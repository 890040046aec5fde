"""Metrics prepared for display: for each chart a finding in words, a table and the chart data.

static/oegen/charts.js draws ``Chart.data``: labels, series with a colour for each theme, the
text at the end of each bar and its link.
"""

from dashboard.charts.bars import concentration, rag_split, rtb_years, statuses, technologies
from dashboard.charts.growth import growth_chart
from dashboard.charts.heat import heat_table
from dashboard.charts.movement import moves, rag_finding, rag_table, walk_chart
from dashboard.charts.parts import Chart, Lists
from dashboard.charts.points import point_rows, scatter
from dashboard.charts.stages import stage_rows
from dashboard.charts.tiles import tiles

__all__ = [
    "Chart",
    "Lists",
    "concentration",
    "growth_chart",
    "heat_table",
    "moves",
    "point_rows",
    "rag_finding",
    "rag_split",
    "rag_table",
    "rtb_years",
    "scatter",
    "stage_rows",
    "statuses",
    "technologies",
    "tiles",
    "walk_chart",
]
