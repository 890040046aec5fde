"""The metrics shaped for showing: for each chart its finding in words, its table and its data.

``Chart.data`` is what static/oegen/charts.js reads: labels, series with a colour for the light and
the dark theme, the words to write at a bar's end, and where a bar leads.
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
