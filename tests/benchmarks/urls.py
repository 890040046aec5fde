"""The site's addresses and an empty page, whose cost no page can be below."""

from django.http import HttpResponse
from django.urls import path

from oegen.urls import *  # noqa: F403
from oegen.urls import urlpatterns

urlpatterns = [path("empty/", lambda request: HttpResponse(""), name="empty"), *urlpatterns]
