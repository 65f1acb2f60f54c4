"""The verdict on addresses: what a webhook may never reach, in every spelling."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.addresses import is_allowed, literal_address

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.255.255",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_a_private_or_special_address_is_never_dialled(address: str) -> None:
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_a_public_address_is_dialled(address: str) -> None:
    assert is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_an_allowed_network_is_dialled_in_every_spelling(address: str) -> None:
    assert is_allowed(ip_address(address), LOOPBACK)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254"],
)
def test_metadata_addresses_are_denied_even_if_every_network_is_allowed(address: str) -> None:
    assert not is_allowed(ip_address(address), EVERYTHING)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_by_the_address_it_maps(address: IPv4Address) -> None:
    mapped = IPv6Address(int(IPv6Address("::ffff:0:0")) | int(address))
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))
    assert is_allowed(mapped, ()) == is_allowed(translated, ()) == is_allowed(address, ())


def _number(value: int, base: int) -> str:
    return {8: f"0{value:o}", 10: str(value), 16: f"{value:#x}"}[base]


@given(st.ip_addresses(v=4), st.integers(1, 4), st.lists(st.sampled_from([8, 10, 16]), min_size=4, max_size=4))
def test_every_spelling_of_an_ipv4_address_is_recognised(address: IPv4Address, parts: int, bases: list[int]) -> None:
    octets = list(address.packed)
    heads, tail = octets[: parts - 1], int.from_bytes(octets[parts - 1 :], "big")
    spelled = ".".join(_number(value, base) for value, base in zip([*heads, tail], bases, strict=False))
    assert literal_address(spelled) == address


@given(st.ip_addresses(v=6))
def test_an_ipv6_address_is_read_with_and_without_brackets(address: IPv6Address) -> None:
    assert literal_address(f"[{address}]") == literal_address(str(address)) == address


@pytest.mark.parametrize(
    "host", ["127.0.0.1.", "%31%32%37.0.0.1", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"]
)
def test_characters_that_a_url_library_normalises_are_recognised(host: str) -> None:
    assert literal_address(host) == IPv4Address("127.0.0.1")


@given(st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,6})?", fullmatch=True))
def test_a_name_is_not_an_address(name: str) -> None:
    assert literal_address(name) is None


@given(st.text(max_size=30))
def test_any_text_is_judged(text: str) -> None:
    address = literal_address(text)
    assert address is None or address.version in (4, 6)
