"""Which IP addresses are public hosts, also where the ``ipaddress`` of Python 3.11 errs.

Its ``is_global`` is true for multicast, for IPv4 addresses inside 6to4 and NAT64 addresses, and for
blocks of IPv6 that nobody has been given.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

IPAddress = IPv4Address | IPv6Address

#: The only block from which addresses of IPv6 hosts are given out.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

#: NAT64 (RFC 6052): the last 32 bits are the IPv4 address that is reached.
_NAT64 = IPv6Network("64:ff9b::/96")

#: Refused whatever ``ipaddress`` says of them: shared address space, protocol assignments, relays
#: of 6to4; Teredo and the other protocol assignments of IPv6, documentation.
_REFUSED = [
    ip_network(text)
    for text in (
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
    )
]


def unwrap(address: IPAddress) -> IPAddress:
    """The IPv4 address that is reached through an IPv4-mapped, 6to4 or NAT64 address; any other
    address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_global(address: IPAddress) -> bool:
    """Whether the address is that of a public host; a multicast address is none."""
    address = unwrap(address)
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _GLOBAL_UNICAST):
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _REFUSED)
    )
