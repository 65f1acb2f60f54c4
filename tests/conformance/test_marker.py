"""A blob store whose marker is required: without it nothing is missing, erased, empty or written."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.installation import marker
from piperoll.installation.guard import Guard
from piperoll.installation.identity import InstallationError
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs, BlobStoreError
from piperoll.store.marker import MARKER
from schemas.topics import JOB_EVENTS
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog

Call = Callable[[AsyncBlobs], Awaitable[object]]

READS: dict[str, Call] = {
    "a blob": lambda blobs: blobs.get("job-1/in/a"),
    "an entry of a segment": lambda blobs: blobs.get(f"segments/2026-01-01/000000-{'0' * 32}#6-8"),
    "a size": lambda blobs: blobs.size("job-1/in/a"),
}
IN_A_FOLDER: dict[str, Call] = {
    "a listing": lambda blobs: blobs.names("job-1"),
    "a deletion": lambda blobs: blobs.delete(["job-1/in/a"]),
    "a deletion of a folder": lambda blobs: blobs.delete_folder("job-1"),
    "a write": lambda blobs: blobs.put("job-1/in", b"{}"),
    "a small input": lambda blobs: blobs.put_input("job-1", b"{}", repeatable=False),
    "a mark": lambda blobs: blobs.mark("uploads-used/acme/f1/job-1"),
    "a replacement": lambda blobs: blobs.replace("checkpoints/0", b"{}"),
    "a file": lambda blobs: blobs.put_file("uploads/acme/f1/a", io.BytesIO(b"a")),
    "a sweep": lambda blobs: anext(blobs.pages()),
    "a check": lambda blobs: blobs.check("worker-0"),
}


@pytest.mark.parametrize("call", READS.values(), ids=READS)
async def test_a_store_without_its_marker_fails_where_it_would_miss(blobs: AsyncBlobs, call: Call) -> None:
    blobs.sync.guard.on = True
    with pytest.raises(BlobStoreError, match="is missing: is the volume mounted"):
        await call(blobs)


@pytest.mark.parametrize("call", READS.values(), ids=READS)
async def test_a_store_with_its_marker_misses_what_it_lacks(blobs: AsyncBlobs, call: Call) -> None:
    blobs.sync.put_named(MARKER, b"{}", "application/json")
    blobs.sync.guard.on = True
    with pytest.raises(BlobMissingError):
        await call(blobs)


@pytest.mark.parametrize("call", IN_A_FOLDER.values(), ids=IN_A_FOLDER)
async def test_in_a_folder_that_is_not_mounted_nothing_is_written_and_nothing_counts_as_deleted(
    tmp_path: Path, call: Call
) -> None:
    root = tmp_path / "mount" / "blobs"
    blobs = AsyncBlobs(Blobs(root.as_uri()))
    blobs.sync.put_named(MARKER, b"{}", "application/json")
    blobs.sync.put_named("job-1/in/a", b"{}", "application/json")
    blobs.sync.guard.on = True
    root.rename(tmp_path / "unmounted")
    with pytest.raises(BlobStoreError, match="is missing: is the volume mounted"):
        await call(blobs)
    assert not root.exists()
    (tmp_path / "unmounted").rename(root)
    assert await blobs.get("job-1/in/a") == b"{}"
    blobs.close()


async def test_processes_that_start_together_over_a_new_store_found_one_installation(blobs: AsyncBlobs) -> None:
    log = MemoryLog()
    found = await asyncio.gather(*(Guard(blobs, log).compare() for _ in range(8)))
    assert len({one.id for one in found}) == 1
    assert found[0] == await marker.read(blobs)
    log.ids = replace(log.ids, cluster_id="other")
    with pytest.raises(InstallationError, match="belongs to the Kafka cluster memory, but other answers"):
        await Guard(blobs, log).compare()


async def test_an_empty_store_beside_a_log_with_records_stays_empty(blobs: AsyncBlobs) -> None:
    log = MemoryLog()
    await log.append(JOB_EVENTS, fact("job-a", created(), 0))
    with pytest.raises(InstallationError, match="mount its volume or correct PIPEROLL_BLOB_URL"):
        await Guard(blobs, log).compare()
    assert [page async for page in blobs.pages()] == []
