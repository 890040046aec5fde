from django.urls import path

from dashboard import changes, report, views

urlpatterns = [
    path("", views.Dashboard.as_view(), name="dashboard"),
    path("report/", report.Report.as_view(), name="report"),
    path("search/", views.Search.as_view(), name="search"),
    path("changes/", changes.ChangesPage.as_view(), name="changes"),
    path("changes/latest/", changes.LatestChanges.as_view(), name="latest-changes"),
]
