"""The way back from a form of the admin to the page that led to it: ``?next=`` in its address."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

NEXT = "next"


def as_query(page: str) -> str:
    return urlencode({NEXT: page})


def page_to_return_to(request: HttpRequest) -> str:
    """The page named in the address of a form; empty if there is none or it is not of this site."""
    page = request.GET.get(NEXT, "")
    safe = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if safe else ""
