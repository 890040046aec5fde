"""Whether the site can do its work, for who watches over it."""

from __future__ import annotations

import logging
import time

from django.contrib.auth.decorators import login_not_required
from django.db import DEFAULT_DB_ALIAS, DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from oegen.alerts import anchors, delivery
from oegen.core.database import is_migrated, short_wait
from oegen.pages.models import Heartbeat
from oegen.people.client import is_from_this_machine

logger = logging.getLogger(__name__)

#: Anybody may ask, and each answer costs a write: a process looks no more often.
LOOKS_EVERY_SECONDS = 10

#: A writer that holds SQLite's lock for longer keeps people from saving.
WAITS_SECONDS = 5


class _Watch:
    """What a process knows. Once no migration is missing none will be until it starts anew."""

    def __init__(self):
        self.look_at = 0.0
        self.problems: list[str] = []
        self.is_migrated = False


_watch = _Watch()


def problems() -> list[str]:
    """What is wrong, in sentences that may be read by anybody; empty when all is well."""
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
        with short_wait(seconds=WAITS_SECONDS):
            Heartbeat.objects.update_or_create(pk=1, defaults={"written_at": timezone.now()})
    except DatabaseError:
        logger.exception("The database can't be written to.")
        return ["The database can't be written to: nothing that people enter is saved."]
    return []


@login_not_required
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while people can read and save, 503 with a sentence otherwise. What there is to say about
    the alerts is for administrators, and for whoever asks from this machine."""
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
