from django.urls import path

from dashboard import views

urlpatterns = [
    path("", views.Dashboard.as_view(), name="dashboard"),
    path("search/", views.Search.as_view(), name="search"),
    path("changes/", views.Changes.as_view(), name="changes"),
]
