from django.contrib import admin
from django.urls import include, path

from oegen import views

urlpatterns = [
    path("", include("dashboard.urls")),
    path("pipelines/", include("pipelines.urls")),
    path("counterparties/", include("counterparties.urls")),
    path("infopoints/", include("infopoints.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
