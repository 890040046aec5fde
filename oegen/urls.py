from django.contrib import admin
from django.urls import include, path

from oegen import views

urlpatterns = [
    path("", include("dashboard.urls")),
    path("", include("pipelines.urls")),
    path("", include("counterparties.urls")),
    path("", include("infopoints.urls")),
    path("comments/<uuid:comment>/change/", views.change_comment, name="comment-change"),
    path("comments/<uuid:comment>/remove/", views.remove_comment, name="comment-remove"),
    path("healthz", views.healthz, name="healthz"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]
