from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from framedex.core.errors import InvalidArguments, Unavailable
from framedex.stores.blobs.ip_guard import AddressGuard, embedded_v4

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "198.20.0.1", "2606:4700::1111",
    "2a00:1450::1",
]  # fmt: skip
PRIVATE = [
    "10.0.0.1", "127.0.0.1", "127.255.255.254", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1",
    "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "100::1", "2001:db8::1", "2001:2::1", "3fff::1",
    "5f00::1",
    # IPv4 inside of IPv6, public ones too: mapped, translated, compatible, NAT64, 6to4, Teredo.
    "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1", "::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1", "2002:7f00:1::", "2002:808:808::", "2001:0:53aa:64c:0:7b2d:f5ff:fffe",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "169.254.169.254",
    "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "::", "ff02::1", "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::", "::ffff:0:169.254.169.254", "::ffff:224.0.0.1",
]  # fmt: skip


def answers(*addresses: str) -> AddressGuard:
    return AddressGuard(resolver=lambda _host, _port: addresses)


@pytest.mark.parametrize("address", PUBLIC)
def test_checked_addresses__public(address: str) -> None:
    assert answers(address).checked_addresses("host", 443) == [address]


@pytest.mark.parametrize("address", PRIVATE)
def test_checked_addresses__private_needs_permission(address: str) -> None:
    with pytest.raises(InvalidArguments, match="private") as refusal:
        answers(address).checked_addresses("host", 443)
    assert address not in refusal.value.message
    allowing = AddressGuard(allow_private_addresses=True, resolver=lambda _host, _port: [address])
    assert allowing.checked_addresses("host", 443) == [str(ipaddress.ip_address(address))]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allows", [False, True])
def test_checked_addresses__never(address: str, allows: bool) -> None:
    guard = AddressGuard(allow_private_addresses=allows, resolver=lambda _host, _port: [address])
    with pytest.raises(InvalidArguments, match="metadata"):
        guard.checked_addresses("host", 443)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_checked_addresses__one_private_among_public_refuses_all(position: int) -> None:
    mixed = ["8.8.8.8", "1.1.1.1"]
    mixed.insert(position, "10.0.0.1")
    with pytest.raises(InvalidArguments, match="private"):
        answers(*mixed).checked_addresses("host", 443)


def test_checked_addresses__keeps_order_without_repetition() -> None:
    assert answers("1.1.1.1", "8.8.8.8", "1.1.1.1").checked_addresses("host", 443) == ["1.1.1.1", "8.8.8.8"]


def test_checked_addresses__resolves_once() -> None:
    calls: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        calls.append((host, port))
        return ["8.8.8.8"]

    AddressGuard(resolver=resolver).checked_addresses("media.example.com", 8443)
    assert calls == [("media.example.com", 8443)]


def test_checked_addresses__no_answer() -> None:
    def failing(host: str, port: int) -> Sequence[str]:
        raise OSError(host)

    for guard in (AddressGuard(resolver=failing), answers()):
        with pytest.raises(Unavailable):
            guard.checked_addresses("host", 443)


@pytest.mark.parametrize("spelling", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"])
def test_checked_addresses__every_spelling_of_loopback_with_the_system_resolver(spelling: str) -> None:
    with pytest.raises(InvalidArguments, match="private"):
        AddressGuard().checked_addresses(spelling, 80)


def test_embedded_v4__none_in_plain_addresses() -> None:
    for text in ("::1", "2606:4700::1111", "fe80::1"):
        assert embedded_v4(ipaddress.IPv6Address(text)) is None
