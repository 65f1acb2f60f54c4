"""Addresses of a download: private ones, names, redirects, headers."""

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.fetch.response import NAME_BYTES, Reply, bare_name, redirect_target
from tests.support.runs.fetching import Fetch, refusal
from tests.support.servers.website import Website


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/x",
        "http://127.1:{port}/x",
        "http://2130706433:{port}/x",
        "http://0x7f000001:{port}/x",
        "http://localhost:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_a_private_address_is_not_dialled_in_whatever_form_it_is_written(get: Fetch, site: Website, url: str) -> None:
    site.file("/x", b"secret", "text/plain")
    port = site.url("").rpartition(":")[2]
    assert refusal(get, url.format(port=port), networks=()) == (ErrorCode.BLOCKED_ADDRESS, False)
    assert site.requests("/x") == []


def test_a_redirect_to_a_private_address_is_not_followed(get: Fetch, site: Website) -> None:
    url = site.redirect("/away", "http://192.168.0.1/admin")
    assert refusal(get, url) == (ErrorCode.BLOCKED_ADDRESS, False)


def test_a_name_that_leads_to_public_and_private_addresses_is_refused_as_a_whole(get: Fetch) -> None:
    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.215.14", "10.0.0.7")
        ]

    assert refusal(get, "http://mixed.example/", lookup=lookup) == (ErrorCode.BLOCKED_ADDRESS, False)


def test_what_was_judged_is_what_is_dialled(get: Fetch, site: Website) -> None:
    site.file("/here", b"by its name", "text/plain")

    def lookup(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

    url = site.url("/here", host="somewhere.example")
    assert get(url, lookup=lookup).path.read_bytes() == b"by its name"
    assert site.requests("/here")[0].headers["host"] == url.split("/")[2]


@pytest.mark.parametrize(("errno", "again"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, True)])
def test_a_name_that_is_not_known_is_tried_again_only_if_the_name_service_failed(
    get: Fetch, errno: int, again: bool
) -> None:
    def lookup(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(errno, "no")

    assert refusal(get, "http://nowhere.example/", lookup=lookup) == (ErrorCode.NETWORK_ERROR, again)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/a", "file:///etc/passwd", "http:///a", "http://user:word@example.com/", "http://[::1", "a b"],
)
def test_an_address_that_is_not_plain_http_is_refused(get: Fetch, url: str) -> None:
    assert refusal(get, url) == (ErrorCode.NETWORK_ERROR, False)


@pytest.mark.parametrize("to", ["file:///etc/passwd", "//["])
def test_a_redirect_to_an_address_that_is_not_http_is_refused(get: Fetch, site: Website, to: str) -> None:
    assert refusal(get, site.redirect("/away", to)) == (ErrorCode.NETWORK_ERROR, False)


@given(st.text(max_size=600))
def test_a_name_is_never_a_path_and_never_too_long(text: str) -> None:
    name = bare_name(text)
    assert "/" not in name
    assert "\\" not in name
    assert name not in (".", "..")
    assert name.isprintable() or all(char.isprintable() or char.isspace() for char in name)
    assert len(name.encode("utf-8", "surrogatepass")) <= NAME_BYTES


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_header_is_too_strange_to_be_read(name: bytes, value: bytes) -> None:
    for header in (b"Content-Type", b"Content-Disposition", b"Location", name):
        reply = Reply.of(302, [(header, value)])
        assert reply.name("/")
        _ = (reply.media_type, reply.charset, reply.length)
        redirect_target(reply, "http://example.com/")
