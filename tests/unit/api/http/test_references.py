"""What a job may name: files under the roots, uploads, and webhook addresses that are not private."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.addresses import SOURCE_NETWORKS
from schemas.ids import draw_run
from services.api.http.errors import ApiError
from services.api.http.references import (
    MAX_NAME_BYTES,
    check_source,
    checked_address,
    checked_filename,
    upload_name,
)

ROOTS = ("/data/in", "/srv/scans/")
FILE_ID = f"file-{draw_run()[:8]}-0000-4000-8000-000000000000"
SEGMENT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1).filter(
    lambda text: text not in (".", "..")
)


@given(st.sampled_from(ROOTS), st.lists(SEGMENT, min_size=1, max_size=4), st.booleans())
def test_a_path_under_a_root_is_accepted_with_either_slash(root: str, parts: list[str], backslashes: bool) -> None:
    path = "/".join([root.rstrip("/"), *parts])
    assert checked_filename(path.replace("/", "\\") if backslashes else path, ROOTS) == path


@given(st.sampled_from(ROOTS), st.lists(SEGMENT, max_size=2), st.lists(SEGMENT, max_size=2))
def test_a_path_with_parent_segments_is_refused(root: str, before: list[str], after: list[str]) -> None:
    with pytest.raises(ApiError) as refusal:
        checked_filename("/".join([root, *before, "..", *after]), ROOTS)
    assert "PIPEROLL_FILES_ROOTS" in refusal.value.message


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "/data/in",
        "/data/inside/a.pdf",
        "//other/a.pdf",
        "a.pdf",
        "data/in/a.pdf",
        "C:\\data\\in\\a.pdf",
        "file:///data/in/a.pdf",
        "",
    ],
)
def test_a_path_outside_the_roots_is_refused_with_the_setting(name: str) -> None:
    with pytest.raises(ApiError) as refusal:
        checked_filename(name, ROOTS)
    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_PARAMETERS")
    assert "PIPEROLL_FILES_ROOTS" in refusal.value.message
    assert "/api/files" in refusal.value.message


def test_without_roots_no_path_is_accepted() -> None:
    with pytest.raises(ApiError):
        checked_filename("/data/in/a.pdf", ())


def test_an_upload_is_accepted_by_its_returned_name() -> None:
    checked_filename(f"upload://{FILE_ID}/a b.pdf", ())


@pytest.mark.parametrize("path", ["", "/", "/..", "/a/b.pdf", "/../../x", "\\..\\x"])
def test_an_upload_of_another_shape_is_refused(path: str) -> None:
    with pytest.raises(ApiError):
        checked_filename(f"upload://{FILE_ID}{path}", ROOTS)


@given(st.text(max_size=400))
def test_a_stored_name_is_one_short_path_segment(given: str) -> None:
    name = upload_name(given)
    assert 1 <= len(name.encode()) <= MAX_NAME_BYTES
    assert "/" not in name
    checked_filename(f"upload://{FILE_ID}/{name}", ())


def test_a_stored_name_has_no_folders_or_control_characters_and_keeps_its_suffix() -> None:
    assert upload_name("C:\\scans\\Protokoll \x00\u202e 3.pdf") == "Protokoll  3.pdf"
    assert upload_name("ä" * 300 + ".pdf").endswith("ä.pdf")


@pytest.mark.parametrize("url", ["https://example.com/hook", "http://example.com:8080/{jobId}?a=b", "http://1.1.1.1/"])
def test_a_public_address_is_accepted(url: str) -> None:
    checked_address("webhook.url", url, (), SOURCE_NETWORKS)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "%31%32%37.0.0.1",
        "127.0.0.1.",
    ],
)
def test_a_private_address_is_blocked_in_every_spelling_and_not_repeated(host: str) -> None:
    with pytest.raises(ApiError) as refusal:
        checked_address("webhook.url", f"http://{host}:80/hook", (), SOURCE_NETWORKS)
    assert refusal.value.code == "BLOCKED_ADDRESS"
    assert "add its network to PIPEROLL_ALLOW_PRIVATE_SOURCES" in refusal.value.message
    assert host not in refusal.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@example.com/",
        "http://user@example.com/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\t",
    ],
)
def test_an_ambiguous_address_is_refused(url: str) -> None:
    with pytest.raises(ApiError) as refusal:
        checked_address("webhook.url", url, (), SOURCE_NETWORKS)
    assert refusal.value.code == "INVALID_PARAMETERS"


STORES = ("s3://scans/2024/", "gs://all")


@pytest.mark.parametrize(
    "source",
    [
        "file:///data/in",
        "file:///data/in/",
        "file:///data/in/2024/a%20b",
        "file:///srv/scans",
        "s3://scans/2024",
        "s3://scans/2024/a b/",
        "gs://all",
        "gs://all/of/it",
    ],
)
def test_a_source_is_a_root_an_object_store_or_below_one(source: str) -> None:
    check_source(source, ROOTS, STORES)


@pytest.mark.parametrize(
    ("source", "setting"),
    [
        ("file:///", "PIPEROLL_FILES_ROOTS"),
        ("file:///data", "PIPEROLL_FILES_ROOTS"),
        ("file:///data/inside", "PIPEROLL_FILES_ROOTS"),
        ("file:///data/in%2f..%2f..", "PIPEROLL_FILES_ROOTS"),
        ("s3://scans", "PIPEROLL_SYNC_STORES"),
        ("s3://scans/20245", "PIPEROLL_SYNC_STORES"),
        ("s3://scans/2024/%2e%2e/2025", "PIPEROLL_SYNC_STORES"),
        ("s3://all/of/it", "PIPEROLL_SYNC_STORES"),
        ("s3://other/data/in", "PIPEROLL_SYNC_STORES"),
    ],
)
def test_another_source_is_refused_with_the_setting_that_allows_it(source: str, setting: str) -> None:
    with pytest.raises(ApiError) as refusal:
        check_source(source, ROOTS, STORES)
    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_PARAMETERS")
    assert setting in refusal.value.message
    assert refusal.value.details["fields"][0]["field"] == "source"
