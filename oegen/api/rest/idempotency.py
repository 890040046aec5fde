"""Idempotency-Key: a write that is sent again is answered again and not done again.

The answer is stored in the transaction of what the request wrote, so that both are there or
neither. A second request with the key meanwhile waits for the first one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    OperationalError,
    connections,
    transaction,
)
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from oegen.api.rest.models import KEPT_FOR, AnsweredRequest
from oegen.api.rest.problems import CONTENT_TYPE, problem
from oegen.core.database import lock_timeout
from oegen.jobs.tidying import tidies
from oegen.pages.busy import is_busy

HEADER = "Idempotency-Key"

#: How long a second request waits for the first one with its key.
WAIT_SECONDS = 10

#: Statuses of answers that another try may change: they are not kept.
PASSING = frozenset({401, 403, 429})

#: The headers that belong to a stored answer.
KEPT_HEADERS = ("ETag", "Location")


def once(request: Request, respond: Callable[[], Response]) -> Response:
    """The response of ``respond``, a write or its refusal, in one transaction with what it writes;
    or the stored one, if the request was answered before. Without the header, just the response.

    ``respond`` returns refusals and does not raise them. What a refused request or a dry run
    (``is_dry_run``) wrote is rolled back. Raises ValidationError for a key that is none.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return _kept_if_done(respond)
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise ValidationError(
            {HEADER: "Give up to 255 letters, digits and signs without spaces, such as a UUID."}
        )
    mine = AnsweredRequest(owner=_owner(request), key=key, request_digest=_digest(request))
    try:
        with lock_timeout(seconds=WAIT_SECONDS), transaction.atomic():
            _wait_no_longer()
            if not _is_first(mine):
                return _known(mine)
            response = _kept_if_done(respond)
            if response.status_code in PASSING or response.status_code >= 500:
                transaction.set_rollback(True)
            else:
                _store(mine, response)
            return response
    except OperationalError as error:
        if not is_busy(error):
            raise
        return _still_running()


def _kept_if_done(respond: Callable[[], Response]) -> Response:
    with transaction.atomic():
        response = respond()
        if response.status_code >= 400 or getattr(response, "is_dry_run", False):
            transaction.set_rollback(True)
        return response


def _is_first(mine: AnsweredRequest) -> bool:
    """Insert the row, for which another transaction with the same key is waited for."""
    try:
        with transaction.atomic():
            mine.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _store(mine: AnsweredRequest, response: Response) -> None:
    mine.status = response.status_code
    mine.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    mine.body = "" if response.data is None else JSONRenderer().render(response.data).decode()
    mine.save()


def _known(mine: AnsweredRequest) -> Response:
    stored = AnsweredRequest.objects.filter(owner=mine.owner, key=mine.key).first()
    if stored is None or stored.status is None:
        return _still_running()
    if stored.request_digest != mine.request_digest:
        return problem(
            422,
            "key-reused",
            f"The {HEADER} “{mine.key}” belongs to another request. Give each its own.",
        )
    data = json.loads(stored.body) if stored.body else None
    response = Response(data, status=stored.status, headers=stored.headers)
    if stored.status >= 400:
        response.content_type = CONTENT_TYPE
    response["Idempotency-Replayed"] = "true"
    return response


def _still_running() -> Response:
    response = problem(
        409,
        "still-running",
        f"The first request with this {HEADER} is still being answered. Ask again in a moment: "
        "nothing is done twice.",
    )
    response["Retry-After"] = "5"
    return response


def _wait_no_longer() -> None:
    """Let PostgreSQL wait for another transaction's key for WAIT_SECONDS. Of SQLite, the caller's
    ``lock_timeout`` does."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")


def _owner(request: Request) -> str:
    return f"token:{request.auth.pk}" if request.auth else f"person:{request.user.pk}"


def _digest(request: Request) -> str:
    whole = "\n".join((str(request.method), request.get_full_path(), ""))
    return hashlib.sha256(whole.encode() + request.body).hexdigest()


@tidies
def forget_old_answers() -> None:
    AnsweredRequest.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
