"""Blob stores: a local folder and an S3 server behind the same cases."""

import asyncio
import hashlib
import io
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from piperoll.store.blobs import CHUNK_BYTES, AsyncBlobs, BlobMissingError, Blobs, BlobStoreError

NAMES = ["a b.txt", "ü.txt", "100%.txt", "%41", "x#y?.txt", "[1].png", "~tilde", "日本.pdf", "a'b\"c.txt"]


async def test_content_is_named_by_its_hash_and_read_back(blobs: AsyncBlobs) -> None:
    claim = await blobs.put("job-1/in", b"content", "text/plain")
    digest = hashlib.sha256(b"content").hexdigest()
    assert (claim.uri, claim.sha256, claim.size, claim.media_type) == (f"job-1/in/{digest}", digest, 7, "text/plain")
    assert await blobs.get(claim.uri) == b"content"


async def test_an_empty_blob_is_a_blob(blobs: AsyncBlobs) -> None:
    claim = await blobs.put("job-1/in", b"")
    assert (claim.size, await blobs.get(claim.uri)) == (0, b"")


async def test_the_same_content_twice_is_one_blob(blobs: AsyncBlobs) -> None:
    assert await blobs.put("job-1/in", b"content") == await blobs.put("job-1/in", b"content")
    assert await blobs.delete_folder("job-1") == 1


async def test_what_is_there_already_stays_as_it_is(blobs: AsyncBlobs) -> None:
    """A zombie's late write must not change what a fact in the log names."""
    blobs.sync.put_named("job-1/run/result.json", b"first", "application/json")
    blobs.sync.put_named("job-1/run/result.json", b"second", "application/json")
    assert await blobs.get("job-1/run/result.json") == b"first"


async def test_many_writers_of_one_name_leave_one_whole_blob(blobs: AsyncBlobs) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)]
    writes = (asyncio.to_thread(blobs.sync.put_named, "job-1/run/a", one, "text/plain") for one in contents)
    await asyncio.gather(*writes)
    assert await blobs.get("job-1/run/a") in contents


async def test_a_checkpoint_is_replaced_whole(blobs: AsyncBlobs) -> None:
    await blobs.replace("checkpoints/0", b"old" * 1000)
    await blobs.replace("checkpoints/0", b"new")
    assert await blobs.get("checkpoints/0") == b"new"


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 12 * CHUNK_BYTES + 7])
async def test_a_file_is_streamed_in_and_out(blobs: AsyncBlobs, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    claim = await blobs.put_file("uploads/acme/f1/scan.pdf", io.BytesIO(content))
    assert claim.sha256 == hashlib.sha256(content).hexdigest()
    assert (claim.size, claim.media_type) == (size, "application/pdf")
    assert blobs.sync.size(claim.uri) == size
    blobs.sync.fetch(claim.uri, tmp_path / "out.pdf")
    assert (tmp_path / "out.pdf").read_bytes() == content


async def test_a_source_that_fails_in_the_middle_leaves_no_blob(blobs: AsyncBlobs) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= 6 * CHUNK_BYTES:
                raise OSError("the client went away")
            return super().read(size)

    with pytest.raises((BlobStoreError, OSError)):
        await blobs.put_file("uploads/acme/f1/scan.pdf", Failing(bytes(9 * CHUNK_BYTES)))
    with pytest.raises(BlobMissingError):
        await blobs.get("uploads/acme/f1/scan.pdf")


@pytest.mark.parametrize("name", NAMES)
async def test_any_file_name_is_accepted(blobs: AsyncBlobs, name: str) -> None:
    uri = f"uploads/acme/f1/{name}"
    claim = await blobs.put_file(uri, io.BytesIO(b"content"))
    assert claim.uri == uri
    assert await blobs.get(uri) == b"content"
    if (path := blobs.sync.local_path(uri)) is not None:
        assert path.read_bytes() == b"content"
    assert await blobs.delete_folder("uploads/acme/f1") == 1


async def test_the_beginning_of_a_blob_is_read_alone(blobs: AsyncBlobs) -> None:
    claim = await blobs.put("job-1/run", b"0123456789")
    assert await blobs.beginning(claim, 4) == b"0123"
    assert await blobs.beginning(claim, 10) == await blobs.beginning(claim, 99) == b"0123456789"
    await blobs.delete([claim.uri])
    for size in (4, 99):
        with pytest.raises(BlobMissingError):
            await blobs.beginning(claim, size)


async def test_a_missing_blob_differs_from_a_failing_store(blobs: AsyncBlobs, tmp_path: Path) -> None:
    with pytest.raises(BlobMissingError, match="job-1/in/nothing"):
        await blobs.get("job-1/in/nothing")
    with pytest.raises(BlobMissingError):
        blobs.sync.size("job-1/in/nothing")
    with pytest.raises(BlobMissingError):
        blobs.sync.fetch("job-1/in/nothing", tmp_path / "out")


async def test_a_folder_is_deleted_with_all_below_and_nothing_beside(blobs: AsyncBlobs) -> None:
    for name in ("job-1/in/a", "job-1/run/deep/er/b", "job-1/run/c", "job-10/in/a", "job-1.txt"):
        blobs.sync.put_named(name, b"content", "text/plain")
    assert await blobs.delete_folder("job-1") == 3
    assert await blobs.get("job-10/in/a") == b"content"
    assert await blobs.get("job-1.txt") == b"content"
    assert await blobs.delete_folder("job-1") == 0


async def test_a_folder_of_more_than_one_page_is_deleted_whole(blobs: AsyncBlobs) -> None:
    await asyncio.gather(*(blobs.put("job-1/run", str(number).encode()) for number in range(1100)))
    assert await blobs.delete_folder("job-1") == 1100
    assert await blobs.delete_folder("job-1") == 0


async def test_two_erasures_at_once_do_not_disturb_each_other(blobs: AsyncBlobs) -> None:
    await asyncio.gather(*(blobs.put("job-1/run", str(number).encode()) for number in range(60)))
    await asyncio.gather(*(blobs.delete_folder("job-1") for _ in range(3)))
    assert await blobs.delete_folder("job-1") == 0


async def test_a_location_is_the_address_of_the_blob(blobs: AsyncBlobs, blob_url: str) -> None:
    if urlsplit(blob_url).scheme == "file":
        assert Path(blobs.sync.location("job-1/a")) == blobs.sync.local_path("job-1/a")
    else:
        assert blobs.sync.location("job-1/a") == f"{blob_url}/job-1/a"
        assert blobs.sync.local_path("job-1/a") is None


async def test_the_store_can_be_asked_whether_it_answers(blobs: AsyncBlobs) -> None:
    await blobs.check("host/1")


# --- stores that fail ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("s3_url")
def test_a_bucket_that_does_not_exist_is_a_failing_store_and_not_a_missing_blob() -> None:
    store = Blobs("s3://no-such-bucket")
    with pytest.raises(BlobStoreError):
        store.put("job-1/in", b"content")
    with pytest.raises(BlobStoreError):
        store.put_file("job-1/in/a", io.BytesIO(b"content"))


def test_a_folder_that_cannot_be_written_is_a_failing_store(tmp_path: Path) -> None:
    store = Blobs(tmp_path.as_uri())
    (tmp_path / "job-1").write_text("a file where a folder should be")
    with pytest.raises(BlobStoreError):
        store.put("job-1/in", b"content")
    with pytest.raises(BlobStoreError):
        store.replace("job-1/in/a", b"content")
    with pytest.raises(BlobStoreError):
        store.put_file("job-1/in/a", io.BytesIO(b"content"))


def test_a_folder_that_vanishes_while_it_is_written_is_a_failing_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure may run beside a late write: what the write then lacks is not a blob that it asked for."""
    store = Blobs(tmp_path.as_uri())

    def gone(*_: object) -> int:
        raise FileNotFoundError("deleted meanwhile")

    monkeypatch.setattr(os, "open", gone)
    with pytest.raises(BlobStoreError):
        store.put("job-1/in", b"content")


@pytest.mark.parametrize("uri", ["../outside", "a/../../outside", "a//b", "a/./b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, uri: str) -> None:
    store = Blobs((tmp_path / "blobs").as_uri())
    with pytest.raises((BlobStoreError, BlobMissingError, ValueError)):
        store.put_named(uri, b"content", "text/plain")
    assert [path.name for path in tmp_path.iterdir()] in ([], ["blobs"])


def test_a_local_blob_is_not_readable_before_it_is_whole(tmp_path: Path) -> None:
    """Readers of the folder see a blob under its name only when all of it is there."""
    store = Blobs(tmp_path.as_uri())
    seen: list[list[str]] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append([path.name for path in tmp_path.rglob("*") if path.name == "a"])
            return super().read(size)

    store.put_file("job-1/a", Watched(bytes(8 * CHUNK_BYTES)))
    assert all(names == [] for names in seen)
    assert (tmp_path / "job-1/a").stat().st_size == 8 * CHUNK_BYTES
