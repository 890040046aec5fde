"""Requests to addresses that people typed: webhooks, public registers.

``request`` is the only way to make one. What somebody typed may lead to hosts that only this
machine can reach (server-side request forgery), so:

- only https, and the certificate must be valid for the host's name;
- the name is resolved once. If any of its addresses is not global, the request is refused;
  otherwise the connection goes to an address that was checked. OUTBOUND_ALLOWED_NETWORKS are the
  exceptions, OUTBOUND_CA_BUNDLE has further authorities for their certificates;
- one deadline from the resolution to the last byte, and one limit for the body, unpacked;
- a redirect is followed only if the caller allows it, and each hop is checked like the first;
- proxies from the environment are ignored: they would resolve the name again.

Errors name the host only: paths and headers may hold secrets.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urljoin

from django.conf import settings

from oegen.core.outbound_targets import (
    BadUrlError,
    OutboundError,
    RefusedAddressError,
    RefusedError,
    Target,
    check_address,
    is_allowed,
    parse_url,
)
from oegen.core.words import count

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = [
    "BadAnswerError",
    "BadUrlError",
    "CertificateError",
    "DeadlineError",
    "OutboundError",
    "RedirectError",
    "RefusedAddressError",
    "RefusedError",
    "Response",
    "TooLargeError",
    "UnreachableError",
    "is_allowed",
    "parse_url",
    "request",
]

DEFAULT_SECONDS = 10.0
DEFAULT_MAX_BYTES = 1_000_000

USER_AGENT = "OEGen-pipeline"

_CHUNK = 64 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Redirects after which another method than HEAD becomes GET, as browsers do. (The others repeat
#: the request as it was.)
_REDIRECTS_TO_GET = frozenset({301, 302, 303})
#: The headers that another origin gets too: any other may hold a secret.
_HEADERS_FOR_ALL = frozenset({"accept", "accept-language", "user-agent"})


class RedirectError(RefusedError):
    """The answer was a redirect that is not followed."""


class UnreachableError(OutboundError):
    """The name has no address, or no address accepts a connection."""


class CertificateError(UnreachableError):
    """The certificate is not valid for the host."""


class DeadlineError(OutboundError):
    """The deadline passed."""


class BadAnswerError(OutboundError):
    """The answer broke off, or is not HTTP."""


class TooLargeError(OutboundError):
    """The body of the answer exceeds the limit."""


@dataclass(frozen=True)
class Response:
    """``url`` is the last one, after redirects; ``body`` is unpacked."""

    status: int
    headers: Message
    body: bytes
    url: str

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None if it is none."""
        return _location(self.status, self.headers)


@dataclass(frozen=True)
class _Request:
    method: str
    target: Target
    headers: Mapping[str, str]
    body: bytes | None


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """The seconds left. Raises TimeoutError if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    seconds: float = DEFAULT_SECONDS,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_redirects: int = 0,
) -> Response:
    """Make one request, without retrying; a status of 400 or more is a response like any other.

    ``seconds`` is for the whole request with its redirects, ``max_bytes`` for the unpacked body.
    Another origin gets neither the body nor headers that may hold a secret. Raises OutboundError.
    """
    deadline, context = _Deadline(seconds), _tls_context()
    asked = _Request(method, parse_url(url), headers or {}, body)
    for redirects in range(max_redirects + 1):
        response = _send(asked, deadline, context, max_bytes)
        if response.location is None:
            return response
        if redirects < max_redirects:
            asked = _redirected(asked, response.status, response.location)
    limit = f" more than {count(max_redirects, 'time')}" if max_redirects else ""
    raise RedirectError(
        f"{asked.target.name} redirects{limit} ({response.status}), which is not followed. Enter "
        "the address that answers itself.",
        status=response.status,
    )


def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.OUTBOUND_CA_BUNDLE:
        context.load_verify_locations(settings.OUTBOUND_CA_BUNDLE)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _location(status: int, headers: Message) -> str | None:
    return headers.get("Location") if status in _REDIRECTS else None


def _redirected(asked: _Request, status: int, location: str) -> _Request:
    """The request to which a redirect leads. Raises RefusedError."""
    method, body = asked.method, asked.body
    headers = {name.lower(): value for name, value in asked.headers.items()}
    if status in _REDIRECTS_TO_GET and method != "HEAD":
        method, body = "GET", None
        headers = {name: headers[name] for name in headers if not name.startswith("content-")}
    try:
        target = parse_url(urljoin(asked.target.url, location))
    except RefusedError as error:
        raise RedirectError(
            f"{asked.target.name} redirects ({status}) where no request may go. {error}",
            status=status,
        ) from error
    if target.origin != asked.target.origin:
        if body is not None:
            raise RedirectError(
                f"{asked.target.name} redirects what is sent to {target.name} ({status}), which "
                f"is not followed. If that is the receiver, enter its address.",
                status=status,
            )
        headers = {name: headers[name] for name in headers if name in _HEADERS_FOR_ALL}
    return _Request(method, target, headers, body)


def _send(
    asked: _Request, deadline: _Deadline, context: ssl.SSLContext, max_bytes: int
) -> Response:
    """The response of one hop; a redirect without its body."""
    target = asked.target
    with _deadline_errors(target, deadline):
        tls = _connect(target, _resolve(target, deadline), deadline, context)
    with tls, _answer_errors(target), _deadline_errors(target, deadline, may_have_arrived=True):
        connection = http.client.HTTPSConnection(target.host, target.port, context=context)
        connection.auto_open = 0  # It never resolves the name itself.
        connection.sock = cast(Any, _DeadlineSocket(tls, deadline))
        defaults = {"accept-encoding": "gzip", "connection": "close", "user-agent": USER_AGENT}
        headers = defaults | {name.lower(): value for name, value in asked.headers.items()}
        connection.request(asked.method, target.path, asked.body, headers)
        with connection.getresponse() as answer:
            is_redirect = _location(answer.status, answer.headers) is not None
            body = b"" if is_redirect else _read_body(answer, target, max_bytes)
            return Response(answer.status, answer.headers, body, target.url)


@contextmanager
def _deadline_errors(
    target: Target, deadline: _Deadline, may_have_arrived: bool = False
) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DeadlineError(
            f"{target.name} did not answer in full within {deadline.seconds:g} seconds. Try again "
            "later.",
            may_have_arrived=may_have_arrived,
        ) from error


@contextmanager
def _answer_errors(target: Target) -> Iterator[None]:
    try:
        yield
    except (http.client.HTTPException, OSError, zlib.error) as error:
        raise BadAnswerError(
            f"The answer of {target.name} broke off or is not HTTP ({type(error).__name__}). "
            "Check the address, or try again later.",
            may_have_arrived=True,
        ) from error


def _resolve(target: Target, deadline: _Deadline) -> list[tuple[int, Any]]:
    """The family and socket address of each address of the host, all of them checked."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(
                socket.getaddrinfo(
                    target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
                )
            )
        except (OSError, UnicodeError) as error:
            answers.put(error)

    # In a thread, because the resolver knows no time limit.
    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = answers.get(timeout=deadline.remaining())
    except queue.Empty as error:
        raise TimeoutError from error
    if isinstance(found, Exception) or not found:
        raise UnreachableError(
            f"No address is known for the name {target.host}. Check its spelling, or try again "
            "later."
        ) from (found or None)
    for *_, address in found:
        check_address(target.host, ip_address(address[0]))
    return [(family, address) for family, *_, address in found]


def _connect(
    target: Target,
    addresses: list[tuple[int, Any]],
    deadline: _Deadline,
    context: ssl.SSLContext,
) -> ssl.SSLSocket:
    """A TLS connection to the first of the addresses that accepts one."""
    problem: OSError | None = None
    for position, (family, address) in enumerate(addresses):
        # Each address gets its share of the time, so that a dead one leaves some to the next.
        share = deadline.remaining() / (len(addresses) - position)
        try:
            with socket.socket(family, socket.SOCK_STREAM) as plain:
                plain.settimeout(share)
                plain.connect(address)
                plain.settimeout(deadline.remaining())
                return context.wrap_socket(plain, server_hostname=target.host)
        except ssl.SSLCertVerificationError as error:
            raise CertificateError(
                f"The certificate of {target.name} is not valid: {error.verify_message}. The "
                "receiver needs a certificate for this name; one of the company's own authority "
                "is accepted if an administrator adds that to OUTBOUND_CA_BUNDLE."
            ) from error
        except OSError as error:
            problem = error
    if isinstance(problem, TimeoutError):
        raise problem
    reason = getattr(problem, "reason", None) or getattr(problem, "strerror", None) or problem
    raise UnreachableError(
        f"No connection to {target.name} ({reason}). Check the address, or try again later."
    ) from problem


class _DeadlineSocket:
    """What http.client needs of a socket; every read and write ends with the deadline. It is closed
    by who opened it."""

    def __init__(self, tls: ssl.SSLSocket, deadline: _Deadline) -> None:
        self._tls = tls
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._tls.settimeout(self._deadline.remaining())
            view = view[self._tls.send(view) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._tls, self._deadline))

    def close(self) -> None:
        pass


class _Reader(io.RawIOBase):
    def __init__(self, tls: ssl.SSLSocket, deadline: _Deadline) -> None:
        self._tls = tls
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._tls.settimeout(self._deadline.remaining())
        return self._tls.recv_into(buffer)


def _read_body(answer: http.client.HTTPResponse, target: Target, max_bytes: int) -> bytes:
    """The unpacked body. Both what arrives and what it unpacks to are limited."""
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise BadAnswerError(
            f"{target.name} answered in the encoding “{encoding[:40]}”, and was asked for gzip.",
            may_have_arrived=True,
            status=answer.status,
        )
    unpack = zlib.decompressobj(wbits=31) if encoding.endswith("gzip") else None
    arrived = size = 0
    parts: list[bytes] = []
    is_too_large = answer.length is not None and answer.length > max_bytes
    while not is_too_large and (data := answer.read(_CHUNK)):
        arrived += len(data)
        part = unpack.decompress(data, max_bytes - size + 1) if unpack else data
        size += len(part)
        parts.append(part)
        is_too_large = max(arrived, size) > max_bytes
    if is_too_large:
        raise TooLargeError(
            f"The answer of {target.name} has more than {count(max_bytes, 'byte')}, so it was not "
            "read to its end.",
            may_have_arrived=True,
            status=answer.status,
        )
    if answer.length or (unpack and arrived and not unpack.eof):
        raise BadAnswerError(
            f"The answer of {target.name} ended before its end. Try again later.",
            may_have_arrived=True,
            status=answer.status,
        )
    return b"".join(parts)
