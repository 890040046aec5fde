"""Pages as of a past day, by the query parameter ``as_of``."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from django.http import FileResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from oegen import asof


class NoPastError(Exception):
    """The day can't be shown; the text is shown to the user."""


class PastMiddleware:
    """Answers requests with ``?as_of=`` as of the end of that day.

    Links, forms and redirects on such a page keep the day. Past pages are read-only.
    """

    #: Pages without a past: the admin, signing in and out, notices, jobs, imports, access
    #: tokens, webhooks, the warehouse.
    #: The API, the OData feed and assistants' tools read days themselves.
    PRESENT_ONLY = (
        *("admin:index", "login", "logout", "notices", "jobs", "imports", "my-tokens"),
        *("webhooks", "api-root", "odata", "mcp", "warehouse"),
    )

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        text = request.GET.get(asof.PARAMETER, "")
        if not text or request.path.startswith(tuple(map(reverse, self.PRESENT_ONLY))):
            return self.get_response(request)
        try:
            day = parse_day(text)
            if request.method not in ("GET", "HEAD"):
                raise NoPastError(
                    f"The portfolio as of {date_format(day)} can only be read. Nothing was saved: "
                    "go back to today and repeat the change there."
                )
        except NoPastError as error:
            return render(request, "oegen/no_past.html", {"why": str(error)}, status=400)
        request.user.reads_past = True
        with asof.as_of(day):
            response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
            response.streaming_content = _stream_as_of(day, iter(response))
        elif response.has_header("Location"):
            response["Location"] = asof.keep_day(response["Location"], day)
        elif response.get("Content-Type", "").startswith("text/html"):
            response.content = asof.keep_day_in(response.text, day)
        return response


def parse_day(text: str) -> date:
    """Parse the query parameter of a past day. Raises NoPastError."""
    today = timezone.localdate()
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise NoPastError(
            f"“{text}” is no day. Write it as {today - timedelta(days=30)}."
        ) from error
    if day > today:
        raise NoPastError(f"{date_format(day)} lies in the future: there is nothing to show yet.")
    if day < asof.FIRST_DAY:
        raise NoPastError(f"Nothing is known from before {date_format(asof.FIRST_DAY)}.")
    return day


def _stream_as_of(day: date, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Read the chunks of a streaming response in the past: they are evaluated after the view."""
    with asof.as_of(day):
        yield from chunks
