"""Fetching editions from their publishers, whose addresses change with each of them.

The index address of the register says which file is the newest. All requests go through
``oegen.core.outbound``; what did not change since is not sent again.
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from django.utils.http import parse_http_date_safe
from django.utils.timezone import localdate

from oegen.core import outbound
from oegen.core.fields import own_field
from oegen.people.models import User
from pipelines.registers.adapters.base import Found
from pipelines.registers.adapters.links import TABLE_ENDINGS, named_day
from pipelines.registers.adapters.registry import adapter_of
from pipelines.registers.editions.ingesting import Ingested, Origin, ingest_file
from pipelines.registers.models import Edition, Register

MAX_REDIRECTS = 5
MAX_INDEX_BYTES = 5_000_000
MAX_FILE_BYTES = 80_000_000

_INDEX_SECONDS, _FILE_SECONDS = 30.0, 300.0

#: What a path that ends with none is taken for.
_DEFAULT_ENDING = ".csv"


class NoEditionError(Exception):
    """The publisher offers none that can be read. The text is shown to people."""


def fetch_newest(
    register: Register,
    *,
    source: str,
    person: User | None = None,
) -> Ingested:
    """Fetch the newest edition that the index address names, and write it.

    Raises OutboundError if the publisher can't be reached, NoEditionError if it offers no edition,
    UnreadableFileError if that can't be read.
    """
    found = find_newest(register)
    return fetch_file(register, found.url, on=found.date, source=source, person=person)


def find_newest(register: Register) -> Found:
    """Raises OutboundError and NoEditionError."""
    adapter = adapter_of(register)
    if not adapter.index_url or adapter.find_newest is None:
        raise NoEditionError(
            f"{register} has no index address where its publisher names the newest edition. Give "
            "a file, or the address of one."
        )
    if _is_table(adapter.index_url):
        return Found(adapter.index_url, named_day(_file_name(adapter.index_url)) or localdate())
    answer = outbound.request(
        "GET",
        adapter.index_url,
        seconds=_INDEX_SECONDS,
        max_bytes=MAX_INDEX_BYTES,
        max_redirects=MAX_REDIRECTS,
    )
    _check_status(answer, register)
    found = adapter.find_newest(answer.body, answer.url)
    if found is None:
        raise NoEditionError(
            f"{adapter.index_url} names no edition of {register} that can be read. "
            f"{adapter.by_hand or 'Look whether the publisher moved it, and correct the address.'}"
        )
    return found


def fetch_file(
    register: Register,
    url: str,
    *,
    on: date,
    source: str,
    person: User | None = None,
) -> Ingested:
    """Fetch the file as the edition of that day, unless it is the one that is here. Raises as
    fetch_newest."""
    known = Edition.objects.filter(register=register, date=on, source_url=url).first()
    answer = outbound.request(
        "GET",
        url,
        headers=_conditions(known),
        seconds=_FILE_SECONDS,
        max_bytes=MAX_FILE_BYTES,
        max_redirects=MAX_REDIRECTS,
    )
    if answer.status == 304 and known is not None:
        return Ingested(known, is_new=False)
    _check_status(answer, register)
    name = _file_name(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(answer.body)
        return ingest_file(
            register,
            path,
            on=on,
            origin=Origin(
                name,
                url,
                etag=_header(answer, "ETag", "etag"),
                last_modified=_header(answer, "Last-Modified", "last_modified"),
            ),
            source=source,
            person=person,
        )


def _conditions(known: Edition | None) -> dict[str, str]:
    headers = {}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    if known and known.last_modified and parse_http_date_safe(known.last_modified):
        headers["If-Modified-Since"] = known.last_modified
    return headers


def _header(answer: outbound.Response, name: str, column: str) -> str:
    """The header, unless it is longer than what is kept."""
    value = answer.headers.get(name, "").strip()
    limit = own_field(Edition, column).max_length or 0
    return value if len(value) <= limit else ""


def _check_status(answer: outbound.Response, register: Register) -> None:
    if answer.status != 200:
        host = urlsplit(answer.url).hostname
        raise NoEditionError(
            f"{host} answered {answer.status} for {register}. Try again later; if it stays so, "
            "look whether the publisher moved it, and correct the index address."
        )


def _is_table(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(TABLE_ENDINGS)


def _file_name(url: str) -> str:
    name = PurePosixPath(unquote(urlsplit(url).path)).name[-200:].replace("/", "_").strip(". ")
    return name if name.lower().endswith(TABLE_ENDINGS) else f"{name or 'edition'}{_DEFAULT_ENDING}"
