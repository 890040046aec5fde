"""Errors as RFC 9457 problem details: one shape for every refusal.

``type`` names the kind of problem, ``detail`` is a sentence for people, ``errors`` lists what is
wrong where. Nothing else of an error leaves the server.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import IntegrityError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from oegen.api.authentication import TokenRefusedError
from oegen.api.rest.access import may_read_personal
from oegen.api.rest.bulk import BulkRefusedError
from oegen.asof.middleware import NoPastError
from oegen.audit.narrative import timeline
from oegen.audit.questions import QuestionError
from oegen.core.clock import ReadOnlyPastError
from oegen.core.exceptions import StaleRecordError
from oegen.core.triggers import broken_rule
from oegen.core.words import count
from oegen.pages.busy import RETRY_AFTER, is_busy

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

#: Titles by code; the last part of ``type``.
TITLES = {
    "invalid": "What was sent is not valid",
    "question": "Something is unusual and has to be confirmed",
    "not-authenticated": "No valid access token",
    "forbidden": "Not allowed",
    "not-found": "Not found",
    "method-not-allowed": "This can't be done here",
    "not-acceptable": "No such format",
    "stale": "Changed by somebody else meanwhile",
    "in-use": "Others refer to it",
    "refused": "A rule of the database refuses it",
    "version-required": "The version is missing",
    "unsupported-media-type": "No such format",
    "too-many-requests": "Too many requests",
    "key-reused": "The Idempotency-Key belongs to another request",
    "still-running": "The first request is still being answered",
    "busy": "The database is busy",
    "error": "An error of the server",
}

CODES = {
    400: "invalid",
    401: "not-authenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    415: "unsupported-media-type",
    429: "too-many-requests",
}

#: The key under which errors of no field are reported.
WHOLE = ""


class VersionRequiredError(Exception):
    """A change or removal without a usable If-Match. The text is shown to the client."""


def problem(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None, **more: Any
) -> Response:
    """The response for a problem of one of the codes in TITLES."""
    body = {
        "type": f"urn:oegen:problem:{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail,
        **more,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, content_type=CONTENT_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER."""
    response = _response_to(error, context)
    if response is not None:
        set_rollback()
    return response


def _response_to(error: Exception, context: dict[str, Any]) -> Response | None:
    match error:
        case ValidationError():
            return _invalid(error)
        case StaleRecordError():
            return _stale(error, may_name=may_read_personal(context["request"]))
        case BulkRefusedError():
            return _bulk_refused(error, context)
        case TokenRefusedError():
            code = "too-many-requests" if error.status == 429 else CODES[error.status]
            response = problem(error.status, code, str(error))
            for name, value in error.headers.items():
                response[name] = value
            return response
        case VersionRequiredError():
            return problem(428, "version-required", str(error))
        case ProtectedError():
            return _in_use(error)
        case IntegrityError():
            rule = broken_rule(error) or "It breaks a rule of the database."
            return problem(409, "refused", f"{rule} Nothing was saved.")
        case NoPastError() | ReadOnlyPastError():
            return problem(400, "invalid", str(error), [{"field": "as_of", "message": str(error)}])
        case OperationalError() if is_busy(error):
            logger.warning("The database is busy: %s", error)
            response = problem(503, "busy", "Nothing was saved. Try again in a moment.")
            response["Retry-After"] = str(RETRY_AFTER)
            return response
        case Http404():
            return problem(404, "not-found", str(error) or "There is nothing at this address.")
        case PermissionDenied():
            return problem(403, "forbidden", str(error) or "You may not do this.")
        case exceptions.ValidationError():
            errors = list(_flatten(error.detail))
            return problem(400, "invalid", _summary(errors), errors)
        case exceptions.APIException():
            return _of_framework(error)
    return None


def _of_framework(error: exceptions.APIException) -> Response:
    status = error.status_code
    response = problem(status, CODES.get(status, "error"), str(error.detail))
    if authenticate := getattr(error, "auth_header", ""):
        response["WWW-Authenticate"] = authenticate
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(max(1, round(wait)))
    return response


def _invalid(error: ValidationError) -> Response:
    errors, asked = [], False
    for field, found in _by_field(error).items():
        for one in found:
            entry = {"field": "" if field == NON_FIELD_ERRORS else field}
            entry["message"] = " ".join(one.messages)
            if isinstance(one, QuestionError):
                entry["confirm"] = one.question.key
                asked = True
            errors.append(entry)
    if asked and all("confirm" in entry for entry in errors):
        keys = "send the same with these keys in “save_anyway” to save it as it is"
        return problem(400, "question", f"{_summary(errors)} If it is right, {keys}.", errors)
    return problem(400, "invalid", _summary(errors), errors)


def _by_field(error: ValidationError) -> dict[str, list[ValidationError]]:
    if hasattr(error, "error_dict"):
        return dict(error.error_dict)
    return {NON_FIELD_ERRORS: error.error_list}


def _summary(errors: list[dict[str, Any]]) -> str:
    """The first error, and how many others there are."""
    if not errors:
        return "Nothing was saved."
    first = errors[0]
    sentence = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    return f"{sentence}{more}"


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, Any]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            name = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, f"{path}.{name}".strip("."))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flatten(inner, path)
    else:
        yield {"field": path, "message": str(detail)}


def _bulk_refused(error: BulkRefusedError, context: dict[str, Any]) -> Response:
    """400 with the problem of each operation that was refused."""
    found = []
    for place, refusal in error.refused.items():
        response = _response_to(refusal, context)
        if response is None:
            raise refusal
        found.append({"operation": place, **response.data})
    number = f"{len(found):,} of {count(error.number, 'operation')} can't be done"
    first = f"operation {found[0]['operation']}: {found[0]['detail']}"
    detail = f"{number}, so none was. The first is {first}"
    return problem(400, "invalid", detail, operations=found)


def _stale(error: StaleRecordError, *, may_name: bool) -> Response:
    """412 with who changed what since the version that was sent; without names unless they may be
    read."""
    record: Any = error.record
    changes = [
        {
            "at": entry.when,
            **({"person": str(entry.person or "")} if may_name else {}),
            "what": str(entry.phrase),
            "reason": entry.reason,
        }
        for entry in timeline.entries_since(record, record.version)
    ]
    detail = f"{record} was changed since version {record.version}. Nothing was saved."
    return problem(412, "stale", f"{detail} Read it again and repeat the change.", changes=changes)


def _in_use(error: ProtectedError) -> Response:
    users = sorted({str(one._meta.verbose_name_plural) for one in error.protected_objects})
    return problem(409, "in-use", f"{' and '.join(users).capitalize()} refer to it, so it stays.")
