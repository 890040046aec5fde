"""The health check for monitoring."""

from __future__ import annotations

import logging
import time

from django.contrib.auth.decorators import login_not_required
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from oegen.alerts import anchors, delivery
from oegen.core.database import is_migrated, lock_timeout
from oegen.jobs import status
from oegen.pages.models import Heartbeat
from oegen.people.client import is_from_this_machine

logger = logging.getLogger(__name__)

#: The check is public and writes to the database, so each process caches its result this long.
CACHE_SECONDS = 10

#: How long to wait for SQLite's lock before reporting a problem.
LOCK_TIMEOUT_SECONDS = 5


class _CachedResult:
    """The result of a process, and whether the migrations were complete, which is checked once."""

    def __init__(self):
        self.expires_at = 0.0
        self.problems: list[str] = []
        self.is_migrated = False


_result = _CachedResult()


def problems() -> list[str]:
    """Messages about problems, which may be public; empty if there are none."""
    if time.monotonic() >= _result.expires_at:
        _result.problems = _find_problems()
        _result.expires_at = time.monotonic() + CACHE_SECONDS
    return _result.problems


def _find_problems() -> list[str]:
    try:
        if not _result.is_migrated and not is_migrated(DEFAULT_DB_ALIAS):
            return ["Migrations are missing: run `manage.py migrate`."]
        _result.is_migrated = True
    except DatabaseError:
        logger.exception("The database does not answer.")
        return ["The database does not answer."]
    try:
        with lock_timeout(seconds=LOCK_TIMEOUT_SECONDS):
            Heartbeat.objects.update_or_create(pk=1, defaults={"written_at": timezone.now()})
    except DatabaseError:
        logger.exception("The database can't be written to.")
        return ["The database can't be written to: nothing that people enter is saved."]
    return []


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while users can read and save, else 503 with a message. The state of alerts and
    jobs is shown to administrators, and to requests from this machine."""
    found = problems()
    if found:
        lines = found
    elif is_from_this_machine(request) or request.user.has_perm("oegen.view_alert"):
        lines = [
            "ok",
            *delivery.status_lines(),
            anchors.status_line(),
            *status.status_lines(),
        ]
    else:
        lines = ["ok"]
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain; charset=utf-8",
        status=503 if found else 200,
    )
