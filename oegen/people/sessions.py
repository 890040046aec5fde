"""Sessions that end when nobody uses them, and after some days in any case."""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import OperationalError
from django.utils import timezone

from oegen.core.database import short_wait

logger = logging.getLogger(__name__)

#: How exactly it is known when a session was last used; a write for each page would cost more.
WRITTEN_EVERY = timedelta(minutes=5)

_SEEN, _STARTED = "seen_at", "signed_in_at"


class SessionStore(DatabaseStore):
    """The engine that SESSION_ENGINE names."""

    #: What the session held when it was kept alive in this request.
    _kept_alive: dict | None = None

    def start(self) -> None:
        """Somebody has just signed in."""
        now = timezone.now()
        self[_STARTED] = now.timestamp()
        self._write_seen(now)

    def keep_alive(self) -> None:
        now = timezone.now()
        if now.timestamp() - self.get(_SEEN, 0) < WRITTEN_EVERY.total_seconds():
            return
        is_only_seen = not self.modified
        self.setdefault(_STARTED, now.timestamp())
        self._write_seen(now)
        self._kept_alive = copy.deepcopy(dict(self.items())) if is_only_seen else None

    def save(self, must_create=False):
        """As Django's, but a database that is busy or full is not taken for a session that was
        ended elsewhere. It raises django.db.OperationalError, unless all there is to write is that
        the session was used: a page is shown without that."""
        is_only_seen = self._kept_alive is not None and self._kept_alive == dict(self.items())
        try:
            if is_only_seen:
                with short_wait(seconds=1):
                    super().save(must_create)
            else:
                super().save(must_create)
        except UpdateError as error:
            if not isinstance(error.__context__, OperationalError):
                raise
            if not is_only_seen:
                raise error.__context__ from None
            logger.warning("When a session was last used is not written: %s", error.__context__)

    def _write_seen(self, now: datetime) -> None:
        started = datetime.fromtimestamp(self[_STARTED], UTC)
        idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        self[_SEEN] = now.timestamp()
        self.set_expiry(min(now + idle, started + settings.SESSION_ENDS_AFTER))


class KeepAliveMiddleware:
    """Writes when a signed-in person's session was last used."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if SESSION_KEY in request.session:
            request.session.keep_alive()
        return self.get_response(request)
