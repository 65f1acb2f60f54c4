"""Takeovers of unexpanded batches that meet faults of the log and of the blob store."""

import asyncio
from collections.abc import Generator

import pytest
from aiokafka.errors import KafkaConnectionError

from piperoll.domain.job import Status
from tests.support.simulation.clients import accounted, create_batch, simulate
from tests.support.simulation.world import World

HOUR_S = 3600.0


class Failing:
    """The answer of a log that fails, to a question and to a scan."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __await__(self) -> Generator[None, None, None]:
        raise self._error
        yield

    def __aiter__(self) -> "Failing":
        return self

    async def __anext__(self) -> None:
        raise self._error

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("error", [KafkaConnectionError("broker restarts"), TimeoutError("no answer")])
@pytest.mark.parametrize(("call", "fault_s"), [("offsets_at", 1.0), ("offsets_at", 600.0), ("scan", 600.0)])
def test_a_takeover_outlasts_errors_of_the_log_and_readiness_names_it(
    error: Exception, call: str, fault_s: float
) -> None:
    members: list[str] = []
    problems: list[str | None] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 20))  # appended while no worker runs
        real = getattr(world.log, call)

        def broken(*asked: object) -> object:
            return real(*asked) if world.loop.time() >= fault_s else Failing(error)

        setattr(world.log, call, broken)
        worker = world.start_worker("worker-1")
        await asyncio.sleep(0.9)
        problems.append(worker.background.problem())
        await world.settle(HOUR_S)
        problems.append(worker.background.problem())

    accounted(simulate(story, partitions=2), members)
    assert problems[0] is not None
    assert "batch-1" in problems[0]
    assert problems[1] is None


def test_the_members_of_a_batch_whose_specifications_are_lost_end_visibly() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 20))
        await world.blobs.delete_folder("batch-1")
        worker = world.start_worker("worker-1")
        await asyncio.sleep(60)
        assert "batch-1" in (worker.background.problem() or "")
        assert world.history.jobs == {}, "they may come back"
        await world.settle(HOUR_S)

    world = simulate(story, partitions=2)
    assert {job.status for job in world.history.jobs.values()} == {Status.CANCELLED}
    assert set(world.history.jobs) == set(members)
    assert world.history.batches["batch-1"].expanded


def test_specifications_that_come_back_are_used() -> None:
    members: list[str] = []

    async def story(world: World) -> None:
        members.extend(await create_batch(world, "batch-1", 5))
        (uri,) = await world.blobs.names("batch-1")
        content = await world.blobs.get(uri)
        await world.blobs.delete([uri])
        world.start_worker("worker-1")
        await asyncio.sleep(300)
        await world.blobs.replace(uri, content)
        await world.settle(HOUR_S)

    accounted(simulate(story, partitions=2), members)
