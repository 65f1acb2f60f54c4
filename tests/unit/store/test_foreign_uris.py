"""Uris that a foreign writer may put into a claim: each read ends at once, with an error about this blob only."""

from pathlib import Path

import pytest

from piperoll.store.blobs import BlobMissingError, Blobs, BlobUnreadableError

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
