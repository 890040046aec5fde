"""A database that can't take a write just now, told apart from a fault of the program."""

import sys

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views import defaults
from django.views.decorators.csrf import requires_csrf_token

#: When a browser or a program may try again, in seconds.
RETRY_AFTER = 10

#: How SQLite says that it is locked, or that it has no room.
SQLITE = ("is locked", "disk is full", "disk I/O error", "readonly database", "unable to open")

#: The classes of PostgreSQL's states: connection, transaction to be repeated (a deadlock),
#: resources (full disk, too many connections), object in use (a lock not had in time), operator.
POSTGRESQL = ("08", "40", "53", "55", "57")


def is_busy(error: BaseException | None) -> bool:
    """Whether the database refused for a reason that passes: it is locked, full or unreachable."""
    if not isinstance(error, OperationalError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    if state:
        return state.startswith(POSTGRESQL)
    text = str(error)
    is_sqlite = type(error.__cause__).__module__ == "sqlite3"
    # Without a state PostgreSQL's driver did not reach the server.
    return any(one in text for one in SQLITE) if is_sqlite else True


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an error that nothing else has handled (``handler500``)."""
    if not is_busy(sys.exception()):
        return defaults.server_error(request)
    is_write = request.method not in ("GET", "HEAD")
    # Without the request: what the context processors would ask the database again.
    page = loader.get_template("503.html").render(
        {"is_write": is_write, "address": request.get_full_path()}
    )
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
