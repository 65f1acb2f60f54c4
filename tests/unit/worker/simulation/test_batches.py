"""Batches and their expansion, in the simulated world."""

import asyncio
from uuid import UUID

import pytest

from piperoll.domain.job import Status
from piperoll.store import document_paths as documents
from piperoll.store import targets
from piperoll.store.blobs import BlobStoreError
from schemas.claims import Claim
from schemas.events import BatchErased, BatchExpanded, JobCancelled, JobCreated
from schemas.ids import member_id
from tests.support.simulation.clients import accounted, create_batch, fact, facts_of, records, simulate
from tests.support.simulation.network import AppendFault
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World


def test_a_batch_becomes_its_members_once() -> None:
    created: list[object] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for name in await create_batch(world, "batch-1", 250):
            world.stage.scripts[name] = Script(seconds=1)
        await world.settle(600)
        created.extend(one for one in await records(world) if isinstance(one.fact().data, JobCreated))

    world = simulate(story, slots=8)
    accounted(world, [member_id("batch-1", index) for index in range(250)])
    assert len(created) == 250


@pytest.mark.parametrize("moment_s", [0.05, 0.3, 0.6, 0.9, 1.2])
def test_an_expansion_that_dies_in_the_middle_is_finished_by_the_next_worker(moment_s: float) -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1", lag_s=0.2)
        await asyncio.sleep(1)
        await create_batch(world, "batch-1", 250)
        await asyncio.sleep(moment_s)
        first.crash()
        landed = len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)])
        world.start_worker("worker-2")
        await world.settle(3600)
        again = len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)])
        assert again == 250, f"{landed} had been created before the crash"

    accounted(simulate(story, slots=8), [member_id("batch-1", index) for index in range(250)])


def test_an_expansion_stops_when_its_partition_is_given_up() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1", lag_s=0.2)
        await asyncio.sleep(1)
        await create_batch(world, "batch-1", 250)
        await asyncio.sleep(0.8)
        await first.drain()
        assert not world.history.batches["batch-1"].expanded
        world.start_worker("worker-2")
        await world.settle(3600)
        assert len([one for one in await records(world) if isinstance(one.fact().data, JobCreated)]) == 250

    accounted(simulate(story, slots=8), [member_id("batch-1", index) for index in range(250)])


def test_a_member_cancelled_before_it_is_created_never_runs() -> None:
    async def story(world: World) -> None:
        (first, _) = await create_batch(world, "batch-1", 2)
        await world.append(fact(world, first, JobCancelled(by="user-1")))
        world.start_worker("worker-1")
        await world.settle(600)

    world = simulate(story)
    accounted(world, [member_id("batch-1", index) for index in range(2)])
    assert world.history.jobs[member_id("batch-1", 0)].status is Status.CANCELLED
    assert world.stage.runs_of(member_id("batch-1", 0)) == []


def test_an_expansion_waits_for_a_blob_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        def away(*_: object) -> Claim:
            raise BlobStoreError("away")

        monkeypatch.setattr(world.blobs.sync, "get", away)
        await create_batch(world, "batch-1", 2)
        world.start_worker("worker-1")
        await asyncio.sleep(60)
        assert world.stage.begun == []
        monkeypatch.undo()
        await world.settle(600)

    accounted(simulate(story), [member_id("batch-1", index) for index in range(2)])


def test_members_about_a_document_that_was_removed_before_the_expansion_are_erased() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for document_id, batch_id in (("doc-gone", "batch-1"), ("doc-kept", "batch-2")):
            if document_id == "doc-gone":
                await documents.delete_content(world.blobs, document_id)
            resolved = {"kind": "document", "document_id": document_id}
            acknowledged.extend(await create_batch(world, batch_id, 3, resolved=resolved))
        await world.settle(600)
        assert await documents.jobs_about(world.blobs, "doc-kept") == sorted(acknowledged[3:])

    acknowledged: list[str] = []
    world = simulate(story)
    accounted(world, acknowledged)
    assert [world.history.jobs[job_id].erased for job_id in acknowledged] == [True] * 3 + [False] * 3


def test_members_whose_target_was_removed_after_the_batch_was_posted_are_erased() -> None:
    """Those with a target that had been removed before have no note of it, and stay."""

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        kept, gone = f"doc-{UUID(int=1)}", f"doc-{UUID(int=2)}"
        await documents.delete_content(world.blobs, gone)
        for number, (target, noted) in enumerate([(kept, True), (gone, True), (gone, False)]):
            spec = {"parameters": {"target_id": target}} | ({targets.ERASED_WITH: target} if noted else {})
            acknowledged.extend(await create_batch(world, f"batch-{number}", 1, **spec))
        await world.settle(600)
        assert [mark.split("/")[2:] for mark in await world.blobs.names(targets.TARGETS)] == [[kept, acknowledged[0]]]

    acknowledged: list[str] = []
    world = simulate(story)
    accounted(world, acknowledged)
    assert [world.history.jobs[job_id].erased for job_id in acknowledged] == [False, True, False]


def test_a_creation_of_unknown_fate_is_looked_up_although_the_store_failed_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(world: World) -> None:
        async def away(*_: object) -> None:
            raise BlobStoreError("away")

        first, second = await create_batch(world, "batch-1", 2)
        worker = world.start_worker("worker-1")
        monkeypatch.setattr(world.blobs, "check", away)
        world.store.broken.add(first)
        worker.network.faults.append(AppendFault("error"))
        await asyncio.sleep(1.2)
        monkeypatch.undo()
        world.store.broken.clear()
        await world.settle(600)
        created = [one for one in await facts_of(world, second) if isinstance(one, JobCreated)]
        assert len(created) == 1

    simulate(story)


def test_the_expansion_of_a_batch_that_is_erased_stops_at_once() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1", lag_s=0.4)
        await create_batch(world, "batch-1", 1000)
        while not world.history.jobs:  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(0.01)
        await world.append(fact(world, "batch-1", BatchErased(by="user-1")))
        await asyncio.sleep(60)
        assert len(world.history.jobs) < 500
        assert not any(isinstance(one, BatchExpanded) for one in await facts_of(world, "batch-1"))

    simulate(story, slots=8)


def test_a_failing_expansion_of_a_batch_that_is_erased_is_not_tried_again() -> None:
    async def story(world: World) -> None:
        await create_batch(world, "batch-1", 3)
        world.store.broken.add("batch-1")
        worker = world.start_worker("worker-1")
        await asyncio.sleep(130)
        assert "batch-1" in (worker.background.problem() or "")
        await world.append(fact(world, "batch-1", BatchErased(by="user-1")))
        await asyncio.sleep(5)
        assert worker.background.problem() is None
        await asyncio.sleep(1200)
        assert world.history.jobs == {}

    simulate(story)


def test_a_batch_that_another_worker_expanded_is_not_expanded_again() -> None:
    """As when BatchExpanded is behind the end of the log at which the partition was taken over."""

    async def story(world: World) -> None:
        members = await create_batch(world, "batch-1", 3)
        world.store.broken.add("batch-1")
        worker = world.start_worker("worker-1")
        await asyncio.sleep(130)
        await world.append(fact(world, "batch-1", BatchExpanded(count=3)))
        await asyncio.sleep(5)
        assert worker.background.problem() is None
        await asyncio.sleep(1200)
        assert not set(members) & set(world.history.jobs)

    simulate(story)
