"""Which IP addresses the server may connect to on behalf of an integration.

The tables are our own: `ipaddress.is_global` changed its mind between patch releases of Python. Sources: the IANA
special-purpose registries for IPv4 (RFC 6890 and later) and IPv6, and the clouds' documents for metadata services.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from framedex.core.errors import InvalidArguments, Unavailable

AnyAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""Every IP address (as text) of a host name; raises `OSError` when there is none."""

_PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # Carrier-grade NAT, also overlay networks.
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments.
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays.
        "192.168.0.0/16",
        "198.18.0.0/15",  # Benchmarks.
        "198.51.100.0/24",
        "203.0.113.0/24",
    )
)
_NEVER_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # "This host": Linux connects it to loopback.
        "224.0.0.0/4",
        "240.0.0.0/4",  # Reserved, with the broadcast address.
        # Metadata and credential services, which hand out the host's own rights.
        "169.254.169.254/32",
        "169.254.170.2/32",  # AWS, containers.
        "169.254.170.23/32",  # AWS, pod identity.
        "100.100.100.200/32",  # Alibaba.
        "192.0.0.192/32",  # Oracle.
        "168.63.129.16/32",  # Azure's wire server, a public address.
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, benchmarks, ORCHID.
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside.
        "3fff::/20",
    )
)
_NEVER_V6 = tuple(
    IPv6Network(text)
    for text in ("::/128", "ff00::/8", "fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128", "fd00:42::42/128")
)
_EMBEDS_V4_LOW = (
    IPv6Network("::ffff:0:0/96"),  # Mapped.
    IPv6Network("::ffff:0:0:0/96"),  # Translated.
    IPv6Network("64:ff9b::/96"),  # NAT64.
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of one network; its usual /96 form.
)
_COMPATIBLE = IPv6Network("::/96")
_LOOPBACK_V6 = IPv6Address("::1")


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Asks the system once, both families."""
    return [str(answer[4][0]) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(ip: AnyAddress) -> bool:
    """Whether `ip` is plain global unicast; an IPv6 form that carries an IPv4 address never is."""
    if isinstance(ip, IPv4Address):
        return not _in_any(ip, _PRIVATE_V4) and not is_never_allowed(ip)
    return ip in _GLOBAL_V6 and not _in_any(ip, _SPECIAL_V6) and not is_never_allowed(ip)


def is_never_allowed(ip: AnyAddress) -> bool:
    """Whether `ip` is refused even where private addresses are allowed: no host's own, or a metadata service."""
    if isinstance(ip, IPv4Address):
        return _in_any(ip, _NEVER_V4)
    if _in_any(ip, _NEVER_V6):
        return True
    inner = embedded_v4(ip)
    return inner is not None and _in_any(inner, _NEVER_V4)


def embedded_v4(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a network may translate `ip`."""
    value = int(ip)
    if ip in _COMPATIBLE:
        return None if ip == _LOOPBACK_V6 else IPv4Address(value & 0xFFFF_FFFF)
    if _in_any(ip, _EMBEDS_V4_LOW):
        return IPv4Address(value & 0xFFFF_FFFF)
    if ip.sixtofour is not None:
        return ip.sixtofour
    return ip.teredo[1] if ip.teredo is not None else None


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Resolves a host once and answers the addresses to connect to, all of them checked."""

    allow_private_addresses: bool = False
    resolver: Resolver = field(default=system_resolver)

    def checked_addresses(self, host: str, port: int) -> list[str]:
        """The IP addresses of `host`, numeric, in the resolver's order.

        Raises:
            InvalidArguments: one of them may not be connected to; then none is, for an answer that mixes public and
                private addresses is how a name is aimed at an internal service.
            Unavailable: the name has no address now.
        """
        try:
            texts = self.resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise Unavailable("the host name of this address cannot be resolved now") from error
        ips = list(dict.fromkeys(ipaddress.ip_address(text) for text in texts))
        if not ips:
            raise Unavailable("the host name of this address has no IP address now")
        for ip in ips:
            self._check(ip)
        return [str(ip) for ip in ips]

    def _check(self, ip: AnyAddress) -> None:
        if is_never_allowed(ip):
            raise InvalidArguments("the host of this address leads to a reserved or metadata address, which is refused")
        if not self.allow_private_addresses and not is_public(ip):
            raise InvalidArguments(
                "the host of this address leads to a private, loopback, link-local or translated address; an"
                " administrator can allow private addresses for the integration"
            )


def _in_any(ip: AnyAddress, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(ip in network for network in networks)
