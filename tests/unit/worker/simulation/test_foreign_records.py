"""Foreign records under the keys of running jobs: each job ends as if they were not there."""

import asyncio

import pytest
from pydantic_core import to_json

from piperoll.domain.job import Status
from schemas.events import BatchCreated, JobCancelled
from schemas.ids import member_id
from tests.support.histories.jobs import garbage
from tests.support.simulation.clients import accounted, create, fact, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World


async def poison(world: World, job_id: str) -> None:
    one = garbage(job_id, 0, 0)
    await world.land(one.key, one.value, one.headers)


@pytest.mark.parametrize("seed", range(10))
def test_a_job_under_whose_key_foreign_records_appear_is_retried_and_completed(seed: int) -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        for _ in range(3):
            await create(world, "job-a", Script(seconds=20, failures=1))
            await asyncio.sleep(world.chances.uniform(0, 6))
            await poison(world, "job-a")
        await world.settle(120)

    world = simulate(story, seed)
    assert world.history.jobs["job-a"].status is Status.COMPLETED
    assert len(world.stage.runs_of("job-a")) == 2
    accounted(world, ["job-a"])


def test_such_a_job_is_taken_over_by_another_worker_and_completed() -> None:
    async def story(world: World) -> None:
        first = world.start_worker("worker-1")
        await create(world, "job-a", Script(seconds=30))
        await asyncio.sleep(5)
        await poison(world, "job-a")
        await asyncio.sleep(5)
        first.crash()
        world.start_worker("worker-2")
        await world.settle(300)

    world = simulate(story)
    assert world.history.jobs["job-a"].status is Status.COMPLETED
    accounted(world, ["job-a"])


def test_such_a_job_can_be_cancelled() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        await create(world, "job-a", Script(seconds=300))
        await asyncio.sleep(5)
        await poison(world, "job-a")
        await world.append(fact(world, "job-a", JobCancelled(by="owner-0")))
        await world.settle(60)

    world = simulate(story)
    assert world.history.jobs["job-a"].status is Status.CANCELLED
    accounted(world, ["job-a"])


GOOD = {"job_type": "noop", "parameters": {}, "body_sha256": "0" * 64}
UNUSABLE = {
    "no JSON": b"\xff",
    "no list": b"{}",
    "too few": b"[]",
    "no objects": to_json(["a", 1, None]),
    "no parameters": to_json([{**GOOD, "parameters": []}] * 3),
    "a wrong field": to_json([{**GOOD, "priority": "high"}] * 3),
    "NUL in a text": to_json([{**GOOD, "user_id": "u\x00"}] * 3),
    "more than a record holds": to_json([{**GOOD, "user_id": "u" * 1_100_000}] * 3),
    "a document elsewhere": to_json([{**GOOD, "resolved": {"kind": "document", "document_id": "../x"}}] * 3),
}


@pytest.mark.parametrize("content", UNUSABLE.values(), ids=UNUSABLE)
def test_the_members_of_a_batch_with_unusable_specifications_are_cancelled_and_others_run(content: bytes) -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        specs = await world.blobs.put("batch-1/in", content)
        await world.append(fact(world, "batch-1", BatchCreated(count=3, specs=specs, body_sha256="0" * 64)))
        await create(world, "job-a")
        await asyncio.sleep(60)
        assert world.history.batches["batch-1"].expanded
        await world.settle(60)

    world = simulate(story)
    members = [world.history.jobs[member_id("batch-1", index)].status for index in range(3)]
    assert members == [Status.CANCELLED] * 3
    assert world.history.jobs["job-a"].status is Status.COMPLETED


def test_the_members_of_a_batch_with_other_specifications_than_it_names_are_cancelled_in_the_end() -> None:
    async def story(world: World) -> None:
        world.start_worker("worker-1")
        specs = (await world.blobs.put("batch-1/in", b"[]")).model_copy(update={"sha256": "0" * 64})
        await world.append(fact(world, "batch-1", BatchCreated(count=1, specs=specs, body_sha256="0" * 64)))
        await world.settle(3600)

    world = simulate(story)
    assert world.history.jobs[member_id("batch-1", 0)].status is Status.CANCELLED
