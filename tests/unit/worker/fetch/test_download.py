"""Downloads from a local web site: what arrives, and which answers are retried."""

import gzip

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.runs.fetching import Fetch, refusal
from tests.support.servers.website import Website


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


@pytest.mark.parametrize(
    "named",
    [
        "attachment; filename=\"plain.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf",
        "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf; filename=plain.pdf",
        "attachment; FileName=plain.pdf; FILENAME*=iso-8859-1'de'Gr%FC%DFe.pdf",
    ],
)
def test_the_extended_name_goes_before_the_plain_one(get: Fetch, site: Website, named: str) -> None:
    """RFC 6266, 4.3."""
    assert get(site.file("/download", b"x", "text/plain", Content_Disposition=named)).name == "Grüße.pdf"


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
