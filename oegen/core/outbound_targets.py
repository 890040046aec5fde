"""Where a typed URL leads, and whether requests may go there (``oegen.core.outbound``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from django.conf import settings

from oegen.core.global_addresses import IPAddress, is_global, unwrap

_HTTPS_PORT = 443
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")


class OutboundError(Exception):
    """A request was refused or failed; the text says so to a person.

    ``may_have_arrived``: whether the receiver may have acted on it. ``status``: that of an answer
    whose rest could not be read.
    """

    def __init__(
        self, text: str, *, may_have_arrived: bool = False, status: int | None = None
    ) -> None:
        super().__init__(text)
        self.may_have_arrived = may_have_arrived
        self.status = status


class RefusedError(OutboundError):
    """This address must not be asked, now or later."""


class BadUrlError(RefusedError):
    """The URL is not one that may be asked."""


class RefusedAddressError(RefusedError):
    """The host has an address that is neither global nor allowed."""


@dataclass(frozen=True)
class Target:
    """Where a URL leads. ``host``: a name in ASCII, or an IP address without brackets; ``path``
    includes the query."""

    host: str
    port: int
    path: str

    @property
    def origin(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def name(self) -> str:
        """The host, with its port unless it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _HTTPS_PORT else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"https://{self.name}{self.path}"


def parse_url(url: str) -> Target:
    """Where the URL leads, without a look at DNS. Raises BadUrlError, and RefusedAddressError for
    an IP address that is not allowed."""
    if not url.isprintable() or " " in url or "\\" in url:
        raise BadUrlError(
            "The address contains a space, a backslash or an invisible character. Remove it."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadUrlError(
            "The address can't be read: its host or port is wrong. Enter one such as "
            "https://example.com/path."
        ) from error
    if parts.scheme != "https" or not parts.hostname:
        raise BadUrlError(
            "The address does not begin with https:// and a host. Enter one such as "
            "https://example.com/path."
        )
    if "@" in parts.netloc:
        raise BadUrlError(
            "The address contains a username or a password before the “@”. Enter it without."
        )
    if port == 0:
        raise BadUrlError("The address has the port 0. Enter the receiver's port, or leave it out.")
    check = _checked_literal if "[" in parts.netloc else _checked_host
    query = f"?{parts.query}" if parts.query else ""
    # "%" stays: what is encoded already is not encoded again.
    path = quote(f"{parts.path or '/'}{query}", safe="/?%:@!$&'()*+,;=~")
    return Target(check(parts.hostname), port or _HTTPS_PORT, path)


def _checked_host(host: str) -> str:
    """The host in ASCII. Raises BadUrlError or RefusedAddressError."""
    host = host.removesuffix(".")
    try:
        name = host.encode("idna").decode()
        is_reversible = name == host or name.encode().decode("idna") == host
    except UnicodeError:
        name, is_reversible = host, False
    if not is_reversible or not all(map(_LABEL.fullmatch, name.split("."))):
        # Characters that stand for others (“ß”, full-width digits) may mean another host elsewhere.
        raise BadUrlError(
            f"“{host[:100]}” is no host name that is the same everywhere. Enter it in ASCII "
            "letters, digits and hyphens; other letters in the form that begins with “xn--”."
        )
    if _NUMERIC.fullmatch(name.rpartition(".")[2]):
        return _checked_literal(name)  # Not 127.1 or 0x7f000001, which resolvers take as addresses.
    return name


def _checked_literal(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError as error:
        raise BadUrlError(
            f"“{host[:100]}” is no IP address. Enter the receiver's name, or its address in the "
            "usual form."
        ) from error
    if getattr(address, "scope_id", None):
        raise BadUrlError(
            f"“{host[:100]}” is an address with a zone, which counts on one machine only. Enter "
            "the receiver's name."
        )
    check_address(str(address), address)
    return str(address)


def is_allowed(address: IPAddress) -> bool:
    """Whether the address is global, or in OUTBOUND_ALLOWED_NETWORKS."""
    if is_global(address):
        return True
    reached = unwrap(address)
    return any(reached in network for network in settings.OUTBOUND_ALLOWED_NETWORKS)


def check_address(name: str, address: IPAddress) -> None:
    if not is_allowed(address):
        leads = "" if name == str(address) else f"{name} leads to {address}. "
        raise RefusedAddressError(
            f"{leads}{address} is no public address, so it is not asked. Enter a receiver on the "
            "internet, or let an administrator add its network to OUTBOUND_ALLOWED_NETWORKS."
        )
