"""What clients append to a simulated world, and how a story runs in one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from unittest.mock import patch

from pydantic_core import to_json

from piperoll.history import Violation
from piperoll.log.record import Record
from piperoll.log.trace import traces
from schemas.envelope import Fact
from schemas.events import BatchCreated, Event, JobCreated
from schemas.ids import event_id, member_id
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.histories.jobs import claim
from tests.support.simulation.schedule import OWNERS
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually
from tests.support.simulation.world import World

Story = Callable[[World], Awaitable[None]]


def simulate(story: Story, seed: int = 1, partitions: int = 4, slots: int = 2, **more: Any) -> World:
    """The world after a story, its blobs closed and no process left. `more` is given to the world."""
    loop = VirtualLoop()
    world = World(loop, seed, partitions, slots, **more)
    with (
        patch("services.projector.database.session.connect", world.postgres.connect),
        patch("services.worker.manager.runner.draw_run", world.draw_run),
        patch("services.notifier.delivery.attempt._running_s", loop.time),
    ):
        try:
            run_virtually(story(world), loop)
        finally:
            world.close()
    return world


def fact(world: World, subject: str, data: Event, owner: str | None = None) -> Fact:
    """What a client appends now; for one of three owners if none is named."""
    return Fact(
        id=event_id(subject, type(data).__name__),
        subject=subject,
        owner=owner or f"owner-{sum(subject.encode()) % OWNERS}",
        time=world.loop.clock(),
        source="api",
        data=data,
    )


def creation(batch_id: str | None = None) -> JobCreated:
    """The creation of a job whose parameters are never read."""
    return JobCreated(job_type="noop", parameters=claim("in"), body_sha256="0" * 64, batch_id=batch_id)


async def create(world: World, job_id: str, script: Script | None = None, owner: str | None = None) -> str:
    """Creates a job whose runs follow the script."""
    world.stage.scripts[job_id] = script or Script()
    await world.append(fact(world, job_id, creation(), owner))
    return job_id


async def create_batch(
    world: World,
    batch_id: str,
    count: int,
    unchecked: bool = False,
    of_one: Mapping[int, Mapping[str, object]] = {},
    **more: object,
) -> list[str]:
    """Creates a batch; answers the ids that its members will have.

    `more` is added to each member's specification, `of_one` to those of single members.
    """
    spec = {"job_type": "noop", "parameters": {}, "body_sha256": "0" * 64, "priority": 5}
    spec |= {"timeout_s": 60, "max_attempts": 3, "has_webhook": False, **more}
    content = to_json([{**spec, **of_one.get(index, {})} for index in range(count)])
    specs = await world.blobs.put(f"{batch_id}/in", content)
    event = BatchCreated(count=count, specs=specs, body_sha256="0" * 64, unchecked=unchecked)
    await world.append(fact(world, batch_id, event))
    return [member_id(batch_id, index) for index in range(count)]


def with_histories(world: World, violations: list[Violation]) -> str:
    """The violations, and what the log has of their subjects, for the message of a failed story."""
    subjects = list(dict.fromkeys(violation.subject for violation in violations))[:3]
    found = asyncio.run(traces(world.log, subjects, [JOB_EVENTS, JOB_DELIVERIES]))
    lines = [line for subject in subjects for line in (subject, *found[subject])]
    return "\n".join([*map(str, violations), *lines])


def accounted(world: World, acknowledged: list[str]) -> None:
    """What must hold at the end of every story."""
    assert [worker.failure for worker in world.workers.values() if worker.failure] == []
    violations = [*world.history.violations(), *world.history.end_violations(acknowledged)]
    assert violations == [], with_histories(world, violations)
    for job in world.history.jobs.values():
        assert job.retries < job.max_attempts
        assert job.losses <= 11
    for worker in world.workers.values():
        assert worker.pool.running == {}
        assert worker.pool.most <= world.slots


async def facts_of(world: World, subject: str) -> list[object]:
    """What the log holds of a job, in order, accepted or not."""
    return [record.fact().data for record in await records(world) if record.key == subject.encode()]


async def records(world: World) -> list[Record]:
    """Everything in the log of facts, partition by partition."""
    ends = await world.log.end_offsets(JOB_EVENTS)
    return await world.log.read_range(JOB_EVENTS, dict.fromkeys(ends, 0), ends)
