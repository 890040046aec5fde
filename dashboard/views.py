from dataclasses import dataclass

from django.views.generic import TemplateView

from dashboard import charts, metrics
from infopoints.models import InformationPoint
from oegen import timeline
from pipelines.models import Pipeline, Technology
from pipelines.querysets import HELD, OPEN, OVERDUE
from pipelines.reference import COMPLETED


@dataclass(frozen=True)
class Tile:
    title: str
    total: metrics.Total
    url: str
    warns: bool = False


class Dashboard(TemplateView):
    template_name = "dashboard/dashboard.html"

    def get_context_data(self, **kwargs):
        everything = Pipeline.objects.all()
        open_ones = everything.open()
        headline = metrics.headline(everything)
        statuses = metrics.by_status(everything)
        return super().get_context_data(**kwargs) | {
            "section": "dashboard",
            "is_empty": not any(group.total.pipelines for group in statuses),
            "pipeline_meta": Pipeline._meta,
            "tiles": [
                Tile("Open", headline.open, charts.pipelines_url(status=OPEN)),
                Tile("On hold", headline.on_hold, charts.pipelines_url(status=HELD)),
                Tile("Completed", headline.completed, charts.pipelines_url(status=COMPLETED)),
                Tile(
                    "Overdue",
                    headline.overdue,
                    charts.pipelines_url(rtb=OVERDUE),
                    warns=headline.overdue.pipelines > 0,
                ),
            ],
            "charts": [
                charts.rtb_years(metrics.by_rtb_year(open_ones), list(Technology.objects.all())),
                charts.rag_split(metrics.by_rag(open_ones)),
                charts.technologies(metrics.by_technology(open_ones)),
                charts.statuses(statuses),
            ],
            "latest": timeline.latest(limit=8),
            "points": InformationPoint.objects.live().by_rating()[:8],
        }
