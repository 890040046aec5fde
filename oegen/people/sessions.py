"""Sessions that expire when they are idle, and after a maximum time in any case."""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db import OperationalError, models
from django.utils import timezone

from oegen.core.compiled import compiled
from oegen.core.database import lock_timeout

logger = logging.getLogger(__name__)

#: The minimum interval between writes of the time of last use: not every page causes a write.
MIN_WRITE_INTERVAL = timedelta(minutes=5)

#: How long that may wait for another writer, in seconds: the next page writes it, too.
KEEP_ALIVE_WAIT = 0.1

_LAST_USED, _STARTED = "seen_at", "signed_in_at"


class SessionStore(DatabaseStore):
    """The session store of SESSION_ENGINE."""

    #: The data of the session, if this request only updated its time of last use.
    _kept_alive: dict | None = None

    def _get_session_from_db(self) -> Session | None:
        for session in _current(key=self.session_key, now=timezone.now()):
            return session
        self._session_key = None
        return None

    def start(self) -> None:
        """Set the start of the session. Call it after a sign-in."""
        now = timezone.now()
        self[_STARTED] = now.timestamp()
        self._set_last_used(now)

    def keep_alive(self) -> None:
        now = timezone.now()
        if now.timestamp() - self.get(_LAST_USED, 0) < MIN_WRITE_INTERVAL.total_seconds():
            return
        is_keep_alive_only = not self.modified
        self.setdefault(_STARTED, now.timestamp())
        self._set_last_used(now)
        self._kept_alive = copy.deepcopy(dict(self.items())) if is_keep_alive_only else None

    def save(self, must_create=False):
        """Tell a busy or full database apart from a session that was ended elsewhere: it raises
        django.db.OperationalError. If only the time of last use would be written, it is logged
        instead, because pages work without it."""
        is_keep_alive_only = self._kept_alive is not None and self._kept_alive == dict(self.items())
        try:
            if is_keep_alive_only:
                with lock_timeout(seconds=KEEP_ALIVE_WAIT):
                    super().save(must_create)
            else:
                super().save(must_create)
        except UpdateError as error:
            if not isinstance(error.__context__, OperationalError):
                raise
            if not is_keep_alive_only:
                raise error.__context__ from None
            logger.warning("When a session was last used is not written: %s", error.__context__)

    def _set_last_used(self, now: datetime) -> None:
        started = datetime.fromtimestamp(self[_STARTED], UTC)
        idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        self[_LAST_USED] = now.timestamp()
        self.set_expiry(min(now + idle, started + settings.SESSION_ENDS_AFTER))


@compiled
def _current(*, key: Any, now: Any) -> models.QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)


class KeepAliveMiddleware:
    """Updates the time of last use of a signed-in user's session."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if SESSION_KEY in request.session:
            request.session.keep_alive()
        return self.get_response(request)
