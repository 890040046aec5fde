"""Metrics prepared for display: for each chart a finding in words, a table and the chart data.

static/oegen/charts.js draws ``Chart.data``: labels, series with a colour for each theme, the
text at the end of each bar and its link.
"""

from dashboard.charts.answer import attention_list, funnel, funnel_note, rag_bar, sentence, whose
from dashboard.charts.bars import concentration, rtb_years, technologies
from dashboard.charts.growth import growth_chart
from dashboard.charts.heat import heat_table
from dashboard.charts.movement import moves, rag_finding, rag_table, walk_chart
from dashboard.charts.parts import Chart, Lists, shared_facilities_note
from dashboard.charts.points import point_rows, scatter
from dashboard.charts.stages import stage_rows
from dashboard.charts.tiles import has_weighted, tiles

__all__ = [
    "Chart",
    "Lists",
    "attention_list",
    "concentration",
    "funnel",
    "funnel_note",
    "growth_chart",
    "has_weighted",
    "heat_table",
    "moves",
    "point_rows",
    "rag_bar",
    "rag_finding",
    "rag_table",
    "rtb_years",
    "scatter",
    "sentence",
    "shared_facilities_note",
    "stage_rows",
    "technologies",
    "tiles",
    "walk_chart",
    "whose",
]
