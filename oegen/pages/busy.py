"""Error pages: 503 for a busy or unreachable database, 500 for other errors."""

import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token

#: The value of Retry-After, in seconds.
RETRY_AFTER = 10

#: Parts of SQLite's messages for a lock or a full disk.
SQLITE = ("is locked", "disk is full", "disk I/O error", "readonly database", "unable to open")

#: Classes of SQLSTATE: connection exception, transaction rollback (deadlock), insufficient
#: resources, object not in prerequisite state (lock timeout), operator intervention.
POSTGRESQL = ("08", "40", "53", "55", "57")


def is_busy(error: BaseException | None) -> bool:
    """Whether the error is temporary: the database is locked, full or unreachable."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state:
        return state.startswith(POSTGRESQL)
    text = str(error)
    is_sqlite = type(error.__cause__).__module__ == "sqlite3"
    # Without a SQLSTATE, PostgreSQL could not be reached.
    return any(part in text for part in SQLITE) if is_sqlite else True


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """The view for unhandled exceptions (``handler500``)."""
    if not is_busy(sys.exception()):
        return defaults.server_error(request)
    is_write = request.method not in ("GET", "HEAD")
    # Without the request, because context processors would query the database again.
    page = loader.get_template("503.html").render(
        {"is_write": is_write, "address": request.get_full_path()}
    )
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
