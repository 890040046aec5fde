"""The addresses of pages and records."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from django.urls import get_script_prefix, get_urlconf, reverse

_NIL = UUID(int=0)


def address_of_page(route: str) -> str:
    """``reverse`` for a route without arguments, in a tenth of the time."""
    return _address_of_page(route, get_urlconf(), get_script_prefix())


@cache
def _address_of_page(route: str, urlconf: str | None, prefix: str) -> str:
    return reverse(route)


def address_of(route: str, key: UUID | str) -> str:
    """``reverse`` for a route whose only argument is the id of a record, in a tenth of the time:
    pages have hundreds of them."""
    if not isinstance(key, UUID):
        return reverse(route, args=[key])
    return _address_of_nil(route, get_urlconf(), get_script_prefix()).replace(str(_NIL), str(key))


@cache
def _address_of_nil(route: str, urlconf: str | None, prefix: str) -> str:
    return reverse(route, args=[_NIL])
