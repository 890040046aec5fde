"""The figures of the dashboard by name: what each is, its values, and the page of its records."""

from dashboard.figures.between import BETWEEN
from dashboard.figures.figure import Compared, Figure, read_figure
from dashboard.figures.groups import GROUPS
from dashboard.figures.points import POINTS
from dashboard.figures.progress import PROGRESS
from dashboard.figures.totals import TOTALS

FIGURES: dict[str, Figure] = {
    one.name: one for one in (*TOTALS, *GROUPS, *BETWEEN, *PROGRESS, *POINTS)
}

__all__ = ["FIGURES", "Compared", "Figure", "read_figure"]
