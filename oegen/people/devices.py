"""Known browsers: a signed cookie remembers who signed in there, so that a stranger's wrong
passwords do not delay the account's owner."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
COOKIE_MAX_AGE = timedelta(days=365)

#: The number of accounts that are remembered per browser, latest first.
MAX_ACCOUNTS = 5

_SALT = "oegen.people.devices"


def known_device(request: HttpRequest, username: str) -> str:
    """The id of the browser if that account has signed in there; else an empty string."""
    device, accounts = _read(request)
    return device if _account(username) in accounts else ""


def remember_account(request: HttpRequest, response: HttpResponse, username: str) -> None:
    device, accounts = _read(request)
    account = _account(username)
    accounts = [account, *(other for other in accounts if other != account)][:MAX_ACCOUNTS]
    response.set_cookie(
        COOKIE,
        signing.dumps([device or secrets.token_hex(16), *accounts], salt=_SALT),
        max_age=COOKIE_MAX_AGE,
        path=reverse("login"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    """(device id, accounts); empty if the cookie is missing, invalid or expired."""
    try:
        device, *accounts = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=COOKIE_MAX_AGE
        )
    except signing.BadSignature:
        return "", []
    return device, accounts


def _account(username: str) -> str:
    return salted_hmac(_SALT, username.casefold(), algorithm="sha256").hexdigest()[:32]
