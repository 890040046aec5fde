"""The address for assistants: the Model Context Protocol, each message a POST by itself.

It takes an access token with the scope ``ask`` as bearer and nothing else: no cookie, and nothing
from a page of another site. What it needs of the package ``mcp``, which is optional
(requirements/mcp.txt), is imported with the first request.
"""

from __future__ import annotations

import json
import logging
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from dashboard.ask.lookups import Asker
from oegen.api.authentication import (
    BEARER,
    TokenRefusedError,
    authenticate,
    bearer_secret,
    check_access,
    count_request,
)
from oegen.api.scopes import Scope
from oegen.pages.busy import RETRY_AFTER, is_busy
from oegen.people.security import address_of

logger = logging.getLogger(__name__)

PACKAGE = "mcp"


class _RefusedError(Exception):
    """The request can't be answered; the text says what would be right."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers or {}


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class Mcp(View):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        headers: dict[str, str] = {}
        try:
            response = _answer(request, headers)
        except _RefusedError as error:
            response = _problem(error.status, str(error))
            headers |= error.headers
        except TokenRefusedError as error:
            response = _problem(error.status, str(error))
            headers |= error.headers
        except OperationalError as error:
            if not is_busy(error):
                raise
            logger.warning("The database is busy: %s", error)
            response = _problem(503, "The database is busy. Try again in a moment.")
            headers["Retry-After"] = str(RETRY_AFTER)
        for name, value in headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store, private"
        patch_vary_headers(response, ["Authorization"])
        return response


def is_installed() -> bool:
    return find_spec(PACKAGE) is not None


@cache
def _protocol() -> Any:
    return import_module("dashboard.ask.mcp_protocol")


def _answer(request: HttpRequest, headers: dict[str, str]) -> HttpResponse:
    if not is_installed():
        raise _RefusedError(
            501,
            "Assistants can’t ask this site: it has no “mcp”. Its administrator installs it with "
            "pip install -r requirements/mcp.txt.",
        )
    origin = request.headers.get("Origin")
    if origin is not None and origin not in settings.CSRF_TRUSTED_ORIGINS:
        raise _RefusedError(
            403, "Pages of other sites may not ask here. Ask from a program, without an Origin."
        )
    if request.method != "POST":
        raise _RefusedError(
            405, "Send each message as a POST: this site keeps no session.", {"Allow": "POST"}
        )
    token = authenticate(_secret_of(request), address_of(request))
    headers |= count_request(token).headers
    check_access(token, Scope.ASK)
    if request.content_type != "application/json":
        raise _RefusedError(415, "Send JSON, with the Content-Type application/json.")
    if not request.accepts("application/json"):
        raise _RefusedError(406, "The answer is JSON: accept application/json.")
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise _RefusedError(413, "The message is too large. Ask for less at a time.") from error
    asker = Asker(token.person, page="/", may_read_personal=token.sees_personal_data)
    status, values = _protocol().handle(body, dict(_lower(request)), asker)
    if values is None:
        return HttpResponse(status=status)
    return HttpResponse(
        json.dumps(values, ensure_ascii=False, allow_nan=False),
        status=status,
        content_type="application/json",
    )


def _lower(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in request.headers.items()]


def _secret_of(request: HttpRequest) -> str:
    secret = bearer_secret(request.headers.get("Authorization", ""))
    if secret is None:
        raise _RefusedError(
            401,
            "Send an access token from your page “Access tokens”, with the scope “ask”, in the "
            "header Authorization: Bearer oegen_…",
            {"WWW-Authenticate": f'{BEARER} realm="OEGen pipeline"'},
        )
    return secret


def _problem(status: int, text: str) -> HttpResponse:
    """Before a message was read, its id is not known."""
    error = {"code": -32000, "message": text}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}, ensure_ascii=False)
    return HttpResponse(body, status=status, content_type="application/json")
