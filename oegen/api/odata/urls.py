"""The feed's addresses; oegen.api.odata.views says what is at which."""

from django.urls import path, re_path

from oegen.api.odata.views import Feed

urlpatterns = [
    path("v1/", Feed.as_view(), name="odata"),
    re_path(r"^v1/as-of/(?P<day>[^/]+)(?:/(?P<path>.*))?$", Feed.as_view(), name="odata-past"),
    re_path(r"^(?:v1)?(?:/(?P<path>.*))?$", Feed.as_view(), name="odata-path"),
]
