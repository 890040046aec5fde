"""Downloads of lists. A long one is made by a job, so that no worker of the server is held up for
minutes; its page has the file when it is done."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect
from django.urls import resolve

from oegen import exports, jobs
from oegen.asof.middleware import PastMiddleware
from oegen.core.words import count
from oegen.jobs import files
from oegen.jobs.models import Job
from oegen.people import security
from oegen.people.models import User
from oegen.people.requests import SignedInRequest

#: The number of rows from which a file is made by a job.
LONG = 20_000

#: How often a job tells how far it is, in rows.
REPORT_EVERY = 500


class JobRequest(WSGIRequest):
    """A request for a file that a job makes: the address that its person opened."""

    def __init__(self, run: jobs.Run, path: str, person: User, address: str):
        base, asked = urlsplit(settings.BASE_URL), urlsplit(path)
        super().__init__(
            {
                "REQUEST_METHOD": "GET",
                "PATH_INFO": asked.path,
                "QUERY_STRING": asked.query,
                "REMOTE_ADDR": address,
                "HTTP_HOST": base.netloc,
                "SERVER_NAME": base.hostname,
                "SERVER_PORT": str(base.port or (443 if base.scheme == "https" else 80)),
                "wsgi.url_scheme": base.scheme,
                "wsgi.input": BytesIO(),
            }
        )
        self.run = run
        self.user: User = person


def answer(
    request: SignedInRequest | JobRequest, sheet: exports.Sheet, kind: str, number: int | None
) -> HttpResponseBase:
    """The file with the sheet's ``number`` rows or, if they are many, a redirect to the job that
    makes it; None: many, and not counted."""
    if isinstance(request, JobRequest):
        counted = _reporting(sheet.rows, request.run, number)
        return exports.download(replace(sheet, rows=counted), kind)
    if number is not None and number < LONG:
        return exports.download(sheet, kind)
    path = request.get_full_path()
    key = f"download:{request.user.pk}:{sha256(path.encode()).hexdigest()}"
    rows = "" if number is None else f", {count(number, 'row')}"
    job = Job.objects.unfinished().filter(key=key).first() or jobs.enqueue(
        "download",
        person=request.user,
        key=key,
        title=f"{sheet.title.capitalize()} as {kind.upper()}{rows}",
        path=path,
        address=security.address_of(request),
    )
    return redirect(job)


def _reporting(rows, run: jobs.Run, number: int | None) -> Iterator[Sequence[Any]]:
    total = "" if number is None else f" of {number:,}"
    for place, row in enumerate(rows):
        if place % REPORT_EVERY == 0:
            run.report(place, number, f"{place:,}{total} rows")
        yield row


@jobs.job_kind("download", "Download", queue=jobs.LONG, max_attempts=3, kept_for=timedelta(days=2))
def make_download(context: jobs.Run, path: str, address: str) -> str:
    """Open the address as its person and keep the answer as a file."""
    person = context.job.person
    if person is None or not person.is_active:
        raise jobs.JobFailedError("Whoever asked for the file can't sign in any more.")
    request = JobRequest(context, path, person, address)
    gone = "The list can't be made into a file any more: open it again and download it anew."
    with security.use_request(request):
        try:
            view, arguments, named = resolve(request.path)
            response = PastMiddleware(lambda request: view(request, *arguments, **named))(request)
        except Http404 as error:
            raise jobs.JobFailedError(gone) from error
        disposition = response.get("Content-Disposition", "")
        if response.status_code != 200 or "filename=" not in disposition:
            raise jobs.JobFailedError(gone)
        size = _write(files.path_of(context.job), response)
    context.job.result = {
        "file": disposition.partition("filename=")[2].strip('"'),
        "content_type": response["Content-Type"],
        "size": size,
    }
    return f"{context.job.result['file']} is ready."


def _write(path: Path, response: Any) -> int:
    """Write the response to the file, whole or not at all; returns its size in bytes."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in response:
                file.write(chunk)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
    finally:
        # Not close() of the response, which also ends a request of the server.
        if opened := getattr(response, "file_to_stream", None):
            opened.close()
    return path.stat().st_size
