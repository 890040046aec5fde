from django.urls import path

from dashboard import changes, frozen, report, views
from dashboard.ask import pages as ask
from dashboard.ask.mcp import Mcp
from dashboard.warehouse.page import WarehousePage

urlpatterns = [
    path("", views.Dashboard.as_view(), name="dashboard"),
    path("report/", report.Report.as_view(), name="report"),
    path("report/frozen/", frozen.FrozenReports.as_view(), name="frozen-reports"),
    path("report/frozen/<uuid:pk>/", frozen.FrozenReportPage.as_view(), name="frozen-report"),
    path(
        "report/frozen/<uuid:pk>/today/",
        frozen.FrozenReportToday.as_view(),
        name="frozen-report-today",
    ),
    path("mcp", Mcp.as_view(), name="mcp"),
    path("ask/", ask.Ask.as_view(), name="ask"),
    path("ask/start/", ask.AskStart.as_view(), name="ask-start"),
    path("ask/answer/", ask.answer, name="ask-answer"),
    path("ask/<uuid:pk>/", ask.Asked.as_view(), name="asked"),
    path("ask/<uuid:pk>/thumb/", ask.thumb, name="ask-thumb"),
    path("warehouse/", WarehousePage.as_view(), name="warehouse"),
    path("search/", views.Search.as_view(), name="search"),
    path("changes/", changes.ChangesPage.as_view(), name="changes"),
    path("changes/latest/", changes.LatestChanges.as_view(), name="latest-changes"),
]
