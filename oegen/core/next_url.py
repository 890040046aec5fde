"""The query parameter ``next``: the page to which a form returns."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

NEXT = "next"


def as_query(page: str) -> str:
    return urlencode({NEXT: page})


def get_next_page(request: HttpRequest) -> str:
    """The URL in the parameter ``next``; empty if it is missing or points to another host."""
    page = request.GET.get(NEXT, "")
    safe = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if safe else ""
