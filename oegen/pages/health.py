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
from oegen.pages.models import Heartbeat
from oegen.people.client import is_from_this_machine

logger = logging.getLogger(__name__)

#: The check is public and writes to the database, so each process caches its result this long.
LOOKS_EVERY_SECONDS = 10

#: How long to wait for SQLite's lock before reporting a problem.
WAITS_SECONDS = 5


class _Watch:
    """The cached result of a process. Migrations are checked until they are complete, once."""

    def __init__(self):
        self.look_at = 0.0
        self.problems: list[str] = []
        self.is_migrated = False


_watch = _Watch()


def problems() -> list[str]:
    """Messages about problems, which may be public; empty if there are none."""
    if time.monotonic() >= _watch.look_at:
        _watch.problems = _look()
        _watch.look_at = time.monotonic() + LOOKS_EVERY_SECONDS
    return _watch.problems


def _look() -> list[str]:
    try:
        if not _watch.is_migrated and not is_migrated(DEFAULT_DB_ALIAS):
            return ["Migrations are missing: run `manage.py migrate`."]
        _watch.is_migrated = True
    except DatabaseError:
        logger.exception("The database does not answer.")
        return ["The database does not answer."]
    try:
        with lock_timeout(seconds=WAITS_SECONDS):
            Heartbeat.objects.update_or_create(pk=1, defaults={"written_at": timezone.now()})
    except DatabaseError:
        logger.exception("The database can't be written to.")
        return ["The database can't be written to: nothing that people enter is saved."]
    return []


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while users can read and save, else 503 with a message. The state of alerts is shown to
    administrators, and to requests from this machine."""
    found = problems()
    if found:
        lines = found
    elif is_from_this_machine(request) or request.user.has_perm("oegen.view_alert"):
        lines = ["ok", *delivery.state_in_words(), anchors.state_in_words()]
    else:
        lines = ["ok"]
    return HttpResponse(
        "".join(f"{line}\n" for line in lines),
        content_type="text/plain; charset=utf-8",
        status=503 if found else 200,
    )
