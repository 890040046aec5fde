"""The addresses of the API: /api/v1/ by what is registered, and its description."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path

from oegen.api.rest import feed, pages
from oegen.api.rest.registry import ADDRESSES, VIEWSETS
from oegen.api.rest.routing import records_router

urlpatterns = [
    path("", pages.Root.as_view(), name="api-root"),
    path("openapi.json", pages.Description.as_view(), name="api-schema"),
    path("docs/", login_required(pages.Docs.as_view()), name="api-docs"),
    path("v1/changes/", feed.Feed.as_view(), name="api-changes"),
    path("v1/", include(records_router(VIEWSETS).urls)),
    *(path(f"v1/{route}/", include(patterns)) for route, patterns in ADDRESSES.items()),
    re_path(r"^[\s\S]*$", pages.Unknown.as_view(), name="api-unknown"),
]
