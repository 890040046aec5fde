"""The client address of a request behind trusted proxies."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

#: Some proxies add the port: 1.2.3.4:5 and [2001:db8::1]:5.
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?")

#: Headers in which a proxy names the client.
FORWARDED_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


class UnknownClientError(Exception):
    """The client's address is unknown; the text tells an administrator what to configure."""


def client_address(request: HttpRequest) -> str:
    """The client's IP address in canonical form; an IPv4-mapped IPv6 address is returned as IPv4.

    Behind N trusted proxies (``BEHIND_PROXY``) it is the N-th from the right in X-Forwarded-For:
    entries further left can be forged by the client. Raises UnknownClientError.
    """
    proxies = settings.BEHIND_PROXY
    connected = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For", "")
    if proxies:
        listed = forwarded.split(",") if forwarded else []
        if len(listed) < proxies:
            raise UnknownClientError(
                f"X-Forwarded-For names {len(listed)} addresses and BEHIND_PROXY is {proxies}. Let "
                "each proxy append the address that it was asked from (nginx: proxy_set_header "
                "X-Forwarded-For $proxy_add_x_forwarded_for), or set BEHIND_PROXY to the number "
                "of proxies that do."
            )
        return _canonical(listed[-proxies], "X-Forwarded-For")
    if not connected:
        raise UnknownClientError(
            "The server listens on a unix socket, so the client's address is empty. Set "
            "BEHIND_PROXY=1 and let the proxy append to X-Forwarded-For."
        )
    address = _canonical(connected, "REMOTE_ADDR")
    if settings.SECURE and forwarded and ipaddress.ip_address(address).is_loopback:
        raise UnknownClientError(
            "A proxy on this machine asks for others, and BEHIND_PROXY is not set, so everybody "
            "would count as one client. Set BEHIND_PROXY to the number of proxies."
        )
    return address


def network_of(address: str) -> str:
    """The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def is_from_this_machine(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, and not through a proxy."""
    if any(header in request.headers for header in FORWARDED_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _canonical(text: str, source: str) -> str:
    text = text.strip()
    if match := _WITH_PORT.fullmatch(text):
        text = match["v4"] or match["v6"]
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError as error:
        raise UnknownClientError(
            f"{source} holds {text[:60]!r}, which is no IP address. Check the proxy, and that "
            "BEHIND_PROXY is the number of proxies."
        ) from error
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
