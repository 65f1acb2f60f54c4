"""Uris that a foreign writer may put into a claim: each read ends at once, with an error about this blob only."""

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError, BlobUnreadableError

SEGMENT = f"segments/2026-01-01/000000-{'a' * 32}"


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    store = Blobs(tmp_path.as_uri())
    store.put_named("folder/blob", b"content", "text/plain")
    (tmp_path / SEGMENT).parent.mkdir(parents=True)
    (tmp_path / SEGMENT).write_bytes(b"job-1 content\n")
    return store


@pytest.mark.parametrize("uri", ["folder", "folder/other", "a\\b", "a%2Fb", "segments/other#1-2"])
def test_nothing_is_at_a_uri_without_a_blob(blobs: Blobs, uri: str) -> None:
    with pytest.raises(BlobMissingError):
        blobs.get(uri)


@pytest.mark.parametrize("uri", ["folder/blob/x", "folder/blob/x/y", "folder/blob#1", "../x", "a//b", "x" * 300])
def test_no_blob_can_be_below_another_one_or_at_a_reserved_name(blobs: Blobs, uri: str) -> None:
    with pytest.raises(BlobUnreadableError, match="no blob can be at"):
        blobs.get(uri)


@pytest.mark.parametrize("uri", ["a//b", "", "../x", "x" * 300, "a\x00b", "/a", "a/"])
@pytest.mark.parametrize("url", ["memory:///", "file://"])
def test_a_uri_that_no_blob_can_have_is_unreadable_in_any_store(tmp_path: Path, url: str, uri: str) -> None:
    """And neither missing, as if it had been erased, nor an outage that a reader waits for."""
    store = Blobs(f"{url}{tmp_path}" if url == "file://" else url)
    with pytest.raises(BlobUnreadableError, match="no blob can be at"):
        store.get(uri)


@pytest.mark.parametrize("place", ["0-999999999999", "13-6", "900-1000", "6-100"])
def test_a_range_outside_of_its_segment_is_missing_and_costs_no_memory(blobs: Blobs, place: str) -> None:
    assert blobs.get(f"{SEGMENT}#6-13") == b"content"
    with pytest.raises(BlobMissingError):
        blobs.get(f"{SEGMENT}#{place}")


HOSTILE = [
    "..",
    "a/..",
    "a/./b",
    "a//b",
    "/a",
    "x" * 300,
    "x" * 2000,
    "a\x00b",
    "a\nb",
    "a\x7f",
    "\ud800",
    "a#1",
    "%2e%2e",
]


@pytest.mark.parametrize("uri", HOSTILE)
@pytest.mark.parametrize("url", ["memory:///", "file://"])
def test_no_call_has_another_error_for_a_hostile_name_than_those_of_a_store(tmp_path: Path, url: str, uri: str) -> None:
    store = Blobs(f"{url}{tmp_path}/store" if url == "file://" else url)
    store.put_named("kept/blob", b"content", "text/plain")
    calls: list[Callable[[], object]] = [
        lambda: store.put_named(uri, b"", "text/plain"),
        lambda: store.put(uri, b""),
        lambda: store.replace(uri, b""),
        lambda: store.put_file(uri, io.BytesIO(b"content")),
        lambda: store.get(uri),
        lambda: store.size(uri),
        lambda: store.read(uri, 0, 1),
        lambda: store.fetch(uri, tmp_path / "fetched"),
        lambda: store.copy([("kept/blob", uri)]),
        lambda: store.copy([(uri, "kept/other")]),
        lambda: list(store.list(uri)),
        lambda: store.entries(uri),
        lambda: store.delete([uri]),
        lambda: store.delete_folder(uri),
    ]
    for call in calls:
        with suppress(BlobStoreError, BlobMissingError):
            call()
    assert store.get("kept/blob") == b"content"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "fetched") in ([], ["store"])


def test_what_the_library_refuses_is_no_outage_that_is_waited_for(blobs: Blobs) -> None:
    with pytest.raises(BlobUnreadableError, match="no blob can be at"), blobs._errors("a/b"):
        raise TypeError("Could not deserialize path")
