"""The stores of one process, compared: a folder, and a log in memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.domain.backlog import Backlog
from piperoll.installation import guard as guards
from piperoll.installation import marker
from piperoll.installation.guard import Guard, identify
from piperoll.installation.identity import InstallationError
from piperoll.log.backlog_checkpoint import Checkpoint, Checkpoints
from piperoll.log.identity import LogIdentity
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs, BlobStoreError
from schemas.topics import JOB_EVENTS
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog
from tests.support.waiting import wait_until


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs((tmp_path / "blobs").as_uri()))
    yield store
    store.close()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


async def used(log: MemoryLog, blobs: AsyncBlobs) -> None:
    """As an earlier release left them: a job with its parameters, and a checkpoint of its worker."""
    await log.append(JOB_EVENTS, fact("job-a", created(), 0))
    await blobs.put("job-a/in", b"{}")
    await Checkpoints(blobs, log.ids.cluster_id, "group/topic").save(0, Checkpoint(Backlog(), 1, "id"))


async def test_processes_that_start_together_over_new_stores_found_one_installation(
    log: MemoryLog, blobs: AsyncBlobs
) -> None:
    found = await asyncio.gather(*(identify(blobs, log) for _ in range(8)))
    assert len({one.id for one in found}) == 1
    assert found[0] == await marker.read(blobs)


async def test_a_process_that_starts_while_another_one_stores_its_first_job_joins_it(
    log: MemoryLog, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = marker.has_records

    async def meanwhile(view: MemoryLog) -> bool:
        found = await look(view)
        monkeypatch.undo()
        await identify(blobs, log)
        await blobs.put("job-a/in", b"{}")
        return found

    monkeypatch.setattr(marker, "has_records", meanwhile)
    assert await identify(blobs, log) == await marker.read(blobs)


async def test_the_stores_of_an_earlier_release_are_adopted(log: MemoryLog, blobs: AsyncBlobs) -> None:
    await used(log, blobs)
    found = await identify(blobs, log)
    assert found.cluster_id == log.ids.cluster_id
    assert found == await identify(blobs, log)


async def test_the_store_of_an_earlier_release_is_refused_by_the_log_of_another_cluster(
    log: MemoryLog, blobs: AsyncBlobs
) -> None:
    await used(log, blobs)
    log.ids = replace(log.ids, cluster_id="other")
    with pytest.raises(InstallationError, match="checkpoints of the Kafka cluster memory, but other answers"):
        await identify(blobs, log)
    assert await marker.read(blobs) is None


async def test_an_empty_store_beside_a_log_with_records_is_refused_and_stays_empty(
    log: MemoryLog, blobs: AsyncBlobs, tmp_path: Path
) -> None:
    await log.append(JOB_EVENTS, fact("job-a", created(), 0))
    with pytest.raises(InstallationError, match="mount its volume or correct PIPEROLL_BLOB_URL"):
        await identify(blobs, log)
    assert list((tmp_path / "blobs").iterdir()) == []


async def test_a_recreated_topic_and_another_cluster_are_refused(log: MemoryLog, blobs: AsyncBlobs) -> None:
    await identify(blobs, log)
    first = log.ids
    log.ids = LogIdentity(first.cluster_id, {**first.topics, JOB_EVENTS.name: "created again"})
    with pytest.raises(InstallationError, match=f"{JOB_EVENTS.name} was deleted and created again"):
        await identify(blobs, log)
    log.ids = replace(first, cluster_id="other")
    with pytest.raises(InstallationError, match="belongs to the Kafka cluster memory, but other answers"):
        await identify(blobs, log)


async def test_a_topic_of_an_upgrade_is_added_to_the_marker(log: MemoryLog, blobs: AsyncBlobs) -> None:
    whole = log.ids
    log.ids = replace(whole, topics={JOB_EVENTS.name: whole.topics[JOB_EVENTS.name]})
    before = await identify(blobs, log)
    log.ids = whole
    assert await identify(blobs, log) == before.joined_by(whole) == await marker.read(blobs)


async def test_a_damaged_marker_is_refused_and_kept(log: MemoryLog, blobs: AsyncBlobs) -> None:
    await blobs.put_marker(b"{")
    with pytest.raises(InstallationError, match="cannot be read"):
        await identify(blobs, log)
    assert await blobs.get("installation.json") == b"{"


async def test_a_store_that_is_unmounted_under_a_process_is_an_outage_until_it_is_back(
    log: MemoryLog, blobs: AsyncBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "COMPARE_INTERVAL_S", 0.01)
    guard, stopping = Guard(blobs, log), asyncio.Event()
    await guard.begin(stopping)
    assert guard.problem() is None
    with pytest.raises(BlobMissingError):
        await blobs.get("job-a/in/x")
    running = asyncio.create_task(guard.run(stopping))
    (tmp_path / "blobs").rename(tmp_path / "away")
    (tmp_path / "blobs").mkdir()
    await wait_until(lambda: guard.problem() is not None, 5, "the guard to notice")
    with pytest.raises(BlobStoreError):
        await blobs.get("job-a/in/x")
    (tmp_path / "blobs").rmdir()
    (tmp_path / "away").rename(tmp_path / "blobs")
    await wait_until(lambda: guard.problem() is None, 5, "the guard to notice")
    stopping.set()
    await running


@pytest.mark.parametrize("change", ["log", "store"])
async def test_a_process_ends_when_a_store_becomes_that_of_another_installation(
    log: MemoryLog, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(guards, "COMPARE_INTERVAL_S", 0.01)
    guard = Guard(blobs, log)
    mine = await guard.begin(asyncio.Event())
    if change == "log":
        log.ids = replace(log.ids, cluster_id="other")
    else:
        await marker.replace(blobs, mine.model_copy(update={"id": "other"}))
    async with asyncio.timeout(5):
        with pytest.raises(InstallationError, match="other"):
            await guard.run(asyncio.Event())
