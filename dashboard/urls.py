from django.urls import path

from dashboard import changes, frozen, report, views
from dashboard.ask.mcp import Mcp

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
    path("search/", views.Search.as_view(), name="search"),
    path("changes/", changes.ChangesPage.as_view(), name="changes"),
    path("changes/latest/", changes.LatestChanges.as_view(), name="latest-changes"),
]
