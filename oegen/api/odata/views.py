"""The feed's one view: service document, $metadata, sets and their counts.

A past day is a service root of its own, because clients drop the query of a root's address.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from contextlib import nullcontext
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from oegen import asof
from oegen.api.authentication import (
    TokenRefusedError,
    authenticate,
    bearer_secret,
    check_access,
    count_request,
)
from oegen.api.models import ApiToken
from oegen.api.odata.errors import ODataError, error_response
from oegen.api.odata.metadata import metadata, service_document
from oegen.api.odata.query import Page, count_rows, query_string, read_page, read_query
from oegen.api.odata.sets import SETS, sets_for
from oegen.api.scopes import Scope
from oegen.asof.middleware import NoPastError, parse_day
from oegen.pages.busy import RETRY_AFTER, is_busy
from oegen.people.security import address_of

logger = logging.getLogger(__name__)

REALM = 'Basic realm="OEGen pipeline", charset="UTF-8"'
JSON = "application/json;odata.metadata=minimal"


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class Feed(View):
    """``day``: of the root of a past day; ``path``: what comes behind the root."""

    def dispatch(self, request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        headers: dict[str, str] = {}
        try:
            response = self._answer(request, headers, **kwargs)
        except TokenRefusedError as error:
            response = error_response(ODataError(str(error), status=error.status))
            headers |= error.headers
        except NoPastError as error:
            response = error_response(ODataError(str(error)))
        except ODataError as error:
            response = error_response(error)
        except OperationalError as error:
            if not is_busy(error):
                raise
            logger.warning("The database is busy: %s", error)
            busy = ODataError("The database is busy. Try again in a moment.", status=503)
            response = error_response(busy)
            headers["Retry-After"] = str(RETRY_AFTER)
        if response.status_code == 401:
            headers["WWW-Authenticate"] = REALM
        for name, value in headers.items():
            response[name] = value
        response["OData-Version"] = "4.0"
        response["Cache-Control"] = "no-store, private"
        patch_vary_headers(response, ["Authorization"])
        return response

    def _answer(
        self, request: HttpRequest, headers: dict[str, str], day: str = "", path: str = ""
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            headers["Allow"] = "GET, HEAD"
            raise ODataError("This feed can only be read: use GET.", status=405)
        token = authenticate(_secret_of(request), address_of(request))
        headers |= count_request(token).headers
        check_access(token, Scope.ODATA)
        if asof.PARAMETER in request.GET:
            raise ODataError(
                f"A past day has a root of its own: {_root(request, '2026-03-31')}",
                target=asof.PARAMETER,
            )
        with asof.as_of(parse_day(day)) if day else nullcontext():
            return _read(request, token, _root(request, day), path)


def _secret_of(request: HttpRequest) -> str:
    """The access token: the password of Basic authentication, or a bearer's. Raises ODataError."""
    header = request.headers.get("Authorization", "")
    secret = bearer_secret(header)
    if secret is not None:
        return secret
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise _unauthorized("")
    try:
        pair = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _unauthorized(" They can't be read.") from error
    return pair.partition(":")[2].strip()


def _unauthorized(why: str) -> ODataError:
    return ODataError(
        "Sign in with “Basic”: any user name, and as password an access token from your page "
        f"“Access tokens”.{why}",
        status=401,
    )


def _root(request: HttpRequest, day: str) -> str:
    path = f"as-of/{day}/" if day else ""
    return request.build_absolute_uri(reverse("odata") + path)


def _read(request: HttpRequest, token: ApiToken, root: str, path: str) -> HttpResponse:
    """What is at the path behind the root. Raises ODataError."""
    personal = Scope.PERSONAL in token.scope_list
    if path in ("", "$metadata"):
        if unknown := [name for name in request.GET if name != "$format"]:
            raise ODataError(f"There is no “{unknown[0]}” here.", target=unknown[0])
        sets = sets_for(personal=personal)
        if path:
            return HttpResponse(metadata(sets, personal=personal), content_type="application/xml")
        return _json_response(service_document(root, sets))
    name, _, more = path.partition("/")
    entity_set = SETS.get(name)
    if entity_set is None or more not in ("", "$count"):
        names = ", ".join(one.name for one in sets_for(personal=personal))
        raise ODataError(
            f"There is nothing at “{path}”. There are $metadata, these sets, and the $count of "
            f"each: {names}.",
            status=404,
        )
    if entity_set.is_personal:
        check_access(token, Scope.PERSONAL)
    query = read_query(entity_set, request.GET.lists(), personal=personal)
    if more:
        return HttpResponse(str(count_rows(query)), content_type="text/plain")
    context = f"{root}$metadata#{name}"
    if query.selected is not None:
        context += f"({','.join(column.name for column in query.selected)})"
    body: dict[str, Any] = {"@odata.context": context}
    if query.wants_count:
        body["@odata.count"] = count_rows(query)
    page = read_page(query)
    body["value"] = _entities(page)
    if page.following:
        body["@odata.nextLink"] = f"{root}{name}?{query_string(page.following)}"
    return _json_response(body)


def _entities(page: Page) -> list[dict[str, Any]]:
    """The rows as JSON has them."""
    names = [column.name for column in page.columns]
    converters = [
        (place, column.type.to_json)
        for place, column in enumerate(page.columns)
        if column.type.to_json
    ]
    found = []
    for row in page.rows:
        values = list(row)
        for place, to_json in converters:
            if values[place] is not None:
                values[place] = to_json(values[place])
        found.append(dict(zip(names, values, strict=False)))
    return found


def _json_response(body: dict[str, Any]) -> HttpResponse:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return HttpResponse(text, content_type=JSON)
