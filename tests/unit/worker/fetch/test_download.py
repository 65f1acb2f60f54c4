"""Downloads from a local web site: what arrives, what is refused, and that size and time have an end."""

import gzip
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch import guarded_connection as dialling
from services.worker.fetch.download import Download, fetch
from services.worker.fetch.response import NAME_BYTES, Reply, bare_name, redirect_target
from services.worker.run.workspace import Limits, Workspace
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as running:
        yield running


Fetch = Callable[..., Download]


@pytest.fixture
def get(tmp_path: Path) -> Fetch:
    """`get(url, **limits)`: fetches with loopback allowed."""

    def call(url: str, lookup: Any = socket.getaddrinfo, **changed: Any) -> Download:
        known = {
            "roots": (),
            "max_bytes": 1_000_000,
            "max_pages": 1,
            "networks": LOOPBACK,
            "fetch_timeout_s": PATIENCE_S,
        }
        workspace = Workspace(
            job_id="job-1",
            run="run-1",
            owner="owner",
            attempt=1,
            blobs=Blobs(f"file://{tmp_path}/blobs"),
            limits=Limits(**(known | changed)),
            scratch=tmp_path / "scratch",
        )
        return fetch(url, workspace, lookup=lookup)

    return call


def refusal(get: Fetch, url: str, **changed: Any) -> tuple[ErrorCode, bool]:
    with pytest.raises(ProcessingError) as failed:
        get(url, **changed)
    assert len(failed.value.message.split()) >= 5
    return failed.value.code, failed.value.retryable


def test_a_file_arrives_whole_with_its_name_and_type(get: Fetch, site: Website) -> None:
    found = get(site.file("/papers/A%20report.pdf", b"%PDF content", "application/pdf; version=1"))
    assert found.path.read_bytes() == b"%PDF content"
    assert (found.name, found.media_type, found.size) == ("A report.pdf", "application/pdf", 12)


def test_the_server_s_own_name_for_a_file_goes_before_the_url_s(get: Fetch, site: Website) -> None:
    named = "attachment; filename*=UTF-8''..%2F..%2FGr%C3%BC%C3%9Fe.pdf"
    url = site.file("/download.php", b"x", "text/html; charset=ISO-8859-1", Content_Disposition=named)
    found = get(url)
    assert (found.name, found.charset) == ("Grüße.pdf", "iso-8859-1")
    assert get(site.file("/", b"x", "text/plain")).name == "download"


def test_redirects_are_followed_and_the_last_address_is_returned(get: Fetch, site: Website) -> None:
    site.file("/deep/end.txt", b"there", "text/plain")
    site.redirect("/deep/two", "end.txt", 307)
    found = get(site.redirect("/one", "/deep/two"))
    assert found.path.read_bytes() == b"there"
    assert found.url == site.url("/deep/end.txt")


def test_a_circle_of_redirects_ends(get: Fetch, site: Website) -> None:
    assert refusal(get, site.redirect("/round", "/round")) == (ErrorCode.HTTP_ERROR, False)
    assert len(site.requests("/round")) == 6


def test_no_packing_is_asked_for_and_what_comes_packed_is_unpacked(get: Fetch, site: Website) -> None:
    url = site.file("/packed", gzip.compress(b"words " * 1000), "text/plain", Content_Encoding="gzip")
    assert get(url).path.read_bytes() == b"words " * 1000
    assert site.requests("/packed")[0].headers["accept-encoding"] == "identity"
    assert refusal(get, site.file("/br", b"x", "text/plain", Content_Encoding="br")) == (ErrorCode.HTTP_ERROR, False)
    broken = site.file("/broken", b"no gzip", "text/plain", Content_Encoding="gzip")
    assert refusal(get, broken) == (ErrorCode.HTTP_ERROR, False)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, (ErrorCode.URL_NOT_FOUND, False)),
        (410, (ErrorCode.URL_NOT_FOUND, False)),
        (401, (ErrorCode.HTTP_ERROR, False)),
        (304, (ErrorCode.HTTP_ERROR, False)),
        (429, (ErrorCode.HTTP_ERROR, True)),
        (500, (ErrorCode.HTTP_ERROR, True)),
        (503, (ErrorCode.HTTP_ERROR, True)),
    ],
)
def test_a_status_decides_whether_to_retry(
    get: Fetch, site: Website, status: int, expected: tuple[ErrorCode, bool]
) -> None:
    assert refusal(get, site.status("/s", status)) == expected


def test_the_wait_that_a_busy_server_asks_for_is_passed_on(get: Fetch, site: Website) -> None:
    with pytest.raises(ProcessingError) as failed:
        get(site.status("/busy", 503, Retry_After="30"))
    assert failed.value.retry_after_s == 30.0


def test_a_gibibyte_is_cut_off_at_the_limit(get: Fetch, site: Website, tmp_path: Path) -> None:
    assert refusal(get, site.endless("/endless")) == (ErrorCode.FILE_TOO_LARGE, False)
    assert len(site.requests("/endless")) == 1
    assert sum(file.stat().st_size for file in (tmp_path / "scratch").iterdir()) <= 1_000_000


def test_a_long_download_reports_its_progress(tmp_path: Path, site: Website) -> None:
    heard: list[int] = []
    limits = Limits((), 1_000_000, 1, networks=LOOPBACK, fetch_timeout_s=PATIENCE_S)
    blobs = Blobs(f"file://{tmp_path}/blobs")
    workspace = Workspace("job-1", "run-1", "owner", 1, blobs, limits, tmp_path / "scratch")
    fetched = fetch(site.endless("/long", 500_000), workspace, beat=lambda: heard.append(1))
    assert fetched.size == 500_000 // 65536 * 65536
    assert len(heard) > 1


def test_a_size_that_is_announced_too_large_is_not_waited_for(get: Fetch, site: Website) -> None:
    assert refusal(get, site.announced("/large", 2_000_000)) == (ErrorCode.FILE_TOO_LARGE, False)


def test_a_small_body_that_inflates_is_cut_off_at_the_limit(get: Fetch, site: Website) -> None:
    assert refusal(get, site.bomb("/bomb", 50_000_000)) == (ErrorCode.FILE_TOO_LARGE, False)


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_a_server_that_takes_its_time_is_left(get: Fetch, site: Website, kind: str) -> None:
    url = site.slow("/late", 10 * PATIENCE_S) if kind == "slow" else site.drip("/late")
    assert refusal(get, url, fetch_timeout_s=0.5) == (ErrorCode.TIMEOUT, True)
    assert len(site.requests("/late")) == 1, "it is not asked a second time"


def test_a_silent_server_is_left_long_before_time_is_up(
    get: Fetch, site: Website, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video may take half an hour, but not to begin: the worker's patience with a silent run is shorter."""
    monkeypatch.setattr(dialling, "SILENCE_S", 0.3)
    with pytest.raises(ProcessingError, match="does not respond") as failed:
        get(site.slow("/silent", 10 * PATIENCE_S), fetch_timeout_s=1800.0)
    assert (failed.value.code, failed.value.retryable) == (ErrorCode.TIMEOUT, True)


def test_silence_is_shorter_than_the_worker_s_patience_with_a_run() -> None:
    assert Settings.model_fields["stall_timeout_s"].default > dialling.SILENCE_S


@pytest.mark.parametrize("kind", ["cut", "gone"])
def test_a_connection_that_breaks_is_worth_another_attempt(get: Fetch, site: Website, kind: str) -> None:
    url = site.cut("/broken") if kind == "cut" else site.gone("/broken")
    assert refusal(get, url) == (ErrorCode.NETWORK_ERROR, True)


def test_a_refused_connection_is_worth_another_attempt(get: Fetch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert refusal(get, f"http://127.0.0.1:{port}/") == (ErrorCode.NETWORK_ERROR, True)


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
