"""Allowed addresses for outgoing connections, and the parsing of literal addresses in URLs. Pure: resolves no name.

Callers must check the address of the connection itself, since DNS can change after a lookup. `ipaddress.is_global` is
not sufficient: it is true for multicast, `::127.0.0.1` and Azure's 168.63.129.16. Sources of the tables: the IANA
special-purpose registries (RFC 6890), RFC 4291 2.5.5 (mapped), RFC 6052 (64:ff9b::/96), the clouds' manuals.
"""

import socket
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import unquote

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


ALWAYS_DENIED = _networks(
    "169.254.0.0/16",  # link-local: metadata and credentials of most clouds
    "168.63.129.16/32",  # Azure's host agent, in a public range
    "100.100.100.200/32",  # Alibaba
    "192.0.0.192/32",  # Oracle
    "fd00:ec2::/32",  # AWS over IPv6
    "fd20:ce::254/128",  # Google over IPv6
    "fe80::/10",  # link-local
)
"""Denied even if the operator allows a network that contains them."""

DENIED_IPV4 = _networks(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)

PUBLIC_IPV6 = IPv6Network("2000::/3")
DENIED_IPV6 = _networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
"""Parts of 2000::/3 that are not public hosts: IETF protocols such as Teredo, documentation, 6to4."""

TRANSLATED = IPv6Network("64:ff9b::/96")


WEBHOOK_NETWORKS = "PIPEROLL_ALLOW_PRIVATE_NETWORKS"
SOURCE_NETWORKS = "PIPEROLL_ALLOW_PRIVATE_SOURCES"


def advice_about(setting: str) -> str:
    """Return what to do about a blocked address; `setting` is the one that allows private networks there."""
    return (
        f"use a public address, or ask the operator to add its network to {setting}; cloud metadata addresses are "
        "never allowed"
    )


class BlockedAddressError(OSError):
    """The address is not allowed. The message does not contain the address."""


def require_allowed(addresses: Iterable[str], allowed: Iterable[Network]) -> None:
    """Raise BlockedAddressError unless all addresses are allowed."""
    networks = tuple(allowed)
    if not all(is_allowed(ip_address(address), networks) for address in addresses):
        raise BlockedAddressError("blocked address")


def is_allowed(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether connections to the address are allowed; `allowed` are the private networks that the operator allows."""
    plain = _unwrapped(address)
    if _within(plain, ALWAYS_DENIED):
        return False
    return _within(plain, allowed) or _is_public(plain)


def literal_address(host: str) -> Address | None:
    """Return the literal address in a URL's host, or None when it is a name.

    Parses the notations of the C resolver (dotted, decimal, octal, hexadecimal, short forms such as `127.1`), IPv6 with
    or without brackets and zone, and the escapes and wide digits that URL libraries normalise.
    """
    text = unicodedata.normalize("NFKC", unquote(host)).replace("\u3002", ".")
    text = text.removeprefix("[").removesuffix("]").removesuffix(".")
    try:
        return IPv6Address(text)
    except ValueError:
        return _ipv4(text)


def _ipv4(text: str) -> IPv4Address | None:
    if not text.isascii() or not text.isprintable() or " " in text:
        return None  # inet_aton ignores everything after a blank
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        return None


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside a mapped (::ffff:) or translated (64:ff9b::) IPv6 address."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, DENIED_IPV4)
    return address in PUBLIC_IPV6 and not _within(address, DENIED_IPV6)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
