"""Checkpoints: nothing but the fold up to an offset. Any of them, or none, leads to the same backlog."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.domain.ended_ids import EndedIds
from piperoll.log.backlog_checkpoint import VERSION, Checkpoint, CheckpointError, Checkpoints
from piperoll.store.blobs import AsyncBlobs, Blobs, BlobStoreError
from schemas.envelope import Fact
from tests.support.histories.jobs import BEGAN
from tests.support.histories.lives import created, folded, folded_backlog, partitions, progress, started

FOLDER = "piperoll.worker/topic"
URI = f"checkpoints/{FOLDER}/0"


@pytest.fixture(scope="module")
async def blobs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncBlobs]:
    """A local folder, as one machine has it."""
    store = AsyncBlobs(Blobs(tmp_path_factory.mktemp("blobs").as_uri()))
    yield store
    store.close()


@pytest.fixture
def checkpoints(blobs: AsyncBlobs) -> Checkpoints:
    return Checkpoints(blobs, "cluster-1", FOLDER)


async def through_the_store(checkpoints: Checkpoints, backlog: Backlog, offset: int) -> Checkpoint:
    await checkpoints.save(0, Checkpoint(backlog, offset))
    loaded = await checkpoints.load(0)
    assert loaded is not None
    return loaded


@settings(max_examples=40)
@given(facts=partitions(), data=st.data())
async def test_a_history_cut_at_any_offset_folds_to_the_same_backlog(
    blobs: AsyncBlobs, facts: list[Fact], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(facts)))
    loaded = await through_the_store(Checkpoints(blobs, "cluster-1", FOLDER), folded_backlog(facts[:cut]), cut)
    assert loaded.next_offset == cut
    assert folded_backlog(facts[loaded.next_offset :], loaded.backlog) == folded_backlog(facts)


@settings(max_examples=40)
@given(facts=partitions(), data=st.data())
async def test_an_older_checkpoint_costs_time_and_nothing_else(
    blobs: AsyncBlobs, facts: list[Fact], data: st.DataObject
) -> None:
    """Also one that a zombie wrote over a newer one, and also when offsets have gaps."""
    step = data.draw(st.integers(1, 3))
    log = {step * number: one for number, one in enumerate(facts)}
    checkpoints = Checkpoints(blobs, "cluster-1", FOLDER)
    for cut in data.draw(st.lists(st.integers(0, len(facts)), min_size=1, max_size=3)):
        offset = step * (cut - 1) + 1 if cut else 0
        loaded = await through_the_store(checkpoints, folded_backlog(facts[:cut]), offset)
    rest = [one for offset, one in log.items() if offset >= loaded.next_offset]
    assert folded_backlog(rest, loaded.backlog) == folded_backlog(facts)


async def test_what_is_parked_and_what_has_ended_comes_back(checkpoints: Checkpoints) -> None:
    ended = EndedIds({"job-a": BEGAN, "job-b": BEGAN + timedelta(days=1)})
    backlog = Backlog(ended=ended, parked={"job-c", "job-\ufffd"}, unchecked={"job-d"})
    assert await through_the_store(checkpoints, backlog, 7) == Checkpoint(backlog, 7)


async def test_an_erasure_of_a_checkpoint_that_does_not_know_whether_it_was_carried_out_is_repeated(
    checkpoints: Checkpoints, blobs: AsyncBlobs
) -> None:
    """Checkpoints that were written before this was kept."""
    done, due = Erasure(BEGAN, "acme", "job-a/in/x", done=True), Erasure(BEGAN, "acme", "job-a/in/x")
    assert (await through_the_store(checkpoints, Backlog(erased={"job-a": done}), 7)).backlog.erased == {"job-a": done}
    await blobs.replace(URI, (await blobs.get(URI)).replace(b',"done":true', b"", 1))
    loaded = await checkpoints.load(0)
    assert loaded is not None
    assert loaded.backlog.erased == {"job-a": due}


async def test_a_checkpoint_that_lists_the_ended_ids_as_earlier_releases_did_is_read(
    checkpoints: Checkpoints, blobs: AsyncBlobs
) -> None:
    head = b'{"version":2,"cluster_id":"cluster-1","next_offset":7,"last_ce_id":"x","jobs":0,"batches":0,'
    await blobs.replace(URI, head + b'"ended":{"job-a":"2026-01-05T10:00:00Z"},"parked":[],"erased":{}}')
    loaded = await checkpoints.load(0)
    assert loaded == Checkpoint(Backlog(ended=EndedIds({"job-a": datetime(2026, 1, 5, 10, tzinfo=UTC)})), 7, "x")


async def test_the_lost_runs_come_back(checkpoints: Checkpoints) -> None:
    await checkpoints.save(0, Checkpoint(Backlog(), 7, "x", {"job-a": {"run-2", "run-1"}}))
    loaded = await checkpoints.load(0)
    assert loaded == Checkpoint(Backlog(), 7, "x", {"job-a": ["run-1", "run-2"]})


async def test_a_thousand_open_jobs_come_back(checkpoints: Checkpoints, blobs: AsyncBlobs) -> None:
    one = folded(created(), started(1), progress("worker-a/1"))
    jobs = {f"job-{number}": replace(one, job_id=f"job-{number}") for number in range(1234)}
    assert await through_the_store(checkpoints, Backlog(jobs=jobs), 9) == Checkpoint(Backlog(jobs=jobs), 9)


async def test_what_is_folded_while_a_checkpoint_is_written_is_not_in_it(checkpoints: Checkpoints) -> None:
    """The backlog lives on between two looks at the event loop; the checkpoint is that of the call."""
    one = folded(created())
    backlog = Backlog(jobs={f"job-{number}": replace(one, job_id=f"job-{number}") for number in range(2000)})
    before = Backlog(jobs=dict(backlog.jobs))
    saving = asyncio.create_task(checkpoints.save(0, Checkpoint(backlog, 5)))
    await asyncio.sleep(0)
    backlog.jobs.clear()
    backlog.ended.add("job-1", BEGAN)
    await saving
    assert await checkpoints.load(0) == Checkpoint(before, 5)


async def test_without_a_checkpoint_there_is_none(checkpoints: Checkpoints) -> None:
    assert await checkpoints.load(99) is None


async def test_partitions_do_not_share_checkpoints(checkpoints: Checkpoints) -> None:
    await checkpoints.save(1, Checkpoint(Backlog(), 11))
    await checkpoints.save(2, Checkpoint(Backlog(), 22))
    assert await checkpoints.load(1) == Checkpoint(Backlog(), 11)


async def test_the_checkpoint_of_another_cluster_is_refused(checkpoints: Checkpoints, blobs: AsyncBlobs) -> None:
    await checkpoints.save(0, Checkpoint(Backlog(), 5))
    with pytest.raises(CheckpointError, match="on the cluster cluster-1"):
        await Checkpoints(blobs, "cluster-2", FOLDER).load(0)


async def test_the_checkpoint_of_another_release_is_refused(checkpoints: Checkpoints, blobs: AsyncBlobs) -> None:
    await checkpoints.save(0, Checkpoint(Backlog(), 5))
    content = await blobs.get(URI)
    await blobs.replace(URI, content.replace(b'"version":%d' % VERSION, b'"version":%d' % (VERSION + 1), 1))
    with pytest.raises(CheckpointError, match=f"version {VERSION + 1}"):
        await checkpoints.load(0)


@settings(max_examples=60)
@given(facts=partitions(), data=st.data())
async def test_a_damaged_checkpoint_is_refused_and_never_half_read(
    blobs: AsyncBlobs, facts: list[Fact], data: st.DataObject
) -> None:
    checkpoints = Checkpoints(blobs, "cluster-1", FOLDER)
    await checkpoints.save(0, Checkpoint(folded_backlog(facts), len(facts)))
    content = await blobs.get(URI)
    cut = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.sampled_from([content[:cut], content[:cut] + b"\0" + content[cut + 1 :], b"\xff" + content]))
    await blobs.replace(URI, damage)
    with pytest.raises(CheckpointError):
        await checkpoints.load(0)


async def test_a_checkpoint_that_lacks_its_last_line_is_refused(checkpoints: Checkpoints, blobs: AsyncBlobs) -> None:
    one = folded(created())
    jobs = {name: replace(one, job_id=name) for name in ("job-a", "job-b")}
    await checkpoints.save(0, Checkpoint(Backlog(jobs=jobs), 5))
    whole = await blobs.get(URI)
    await blobs.replace(URI, whole.rpartition(b"\n")[0])
    with pytest.raises(CheckpointError, match="cut off"):
        await checkpoints.load(0)


async def test_a_store_that_fails_is_not_a_missing_checkpoint(tmp_path: Path) -> None:
    """Else a worker would read the whole history again, and think it had to."""
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    (tmp_path / "checkpoints").write_text("a file where a folder should be")
    with pytest.raises(BlobStoreError):
        await Checkpoints(store, "cluster-1", FOLDER).load(0)
    store.close()
