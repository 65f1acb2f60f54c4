"""A sweep knows what it decides by: its partitions are its own, and read to an end that was fetched a moment ago."""

import asyncio
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest

from schemas.topics import Topic
from services.worker.cleanup.sweep.knowledge import REACH_S, WorkerKnowledge
from services.worker.cleanup.sweep.log_time import FRESH_S, FreshEnds
from services.worker.cleanup.sweep.sweeper import StoreSweep
from tests.support.histories.jobs import created
from tests.support.memory_log import MemoryLog
from tests.support.runs.sweeping import ENOUGH_S, INTERVAL_S, Sweeping, sweeping
from tests.support.simulation.clients import create, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World


class CutOff(MemoryLog):
    """A log that a worker no longer reaches."""

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        raise TimeoutError("no broker answers")


@pytest.mark.parametrize("reaches_the_broker", [False, True])
def test_a_worker_that_reads_no_more_deletes_nothing_of_what_others_make(
    tmp_path: Path, reaches_the_broker: bool
) -> None:
    """It believes to own its partitions for days, and its blob store answers."""

    async def story(one: Sweeping) -> None:
        await one.finished("job-0")
        await one.once()
        backlogs, positions = deepcopy(one.knowledge.backlogs()), dict(one.knowledge._positions)
        log = one.log if reaches_the_broker else CutOff()
        knowledge = WorkerKnowledge(lambda: backlogs, lambda: positions)
        stale = StoreSweep(one.settings, one.blobs, log, knowledge, lambda *_: None, one.loop.clock, one.chances)
        await one.finished("job-1")
        one.put("job-2/in/p")
        await one.append("job-2", created())
        before = one.names()
        for _ in range(int(2 * ENOUGH_S // INTERVAL_S)):
            await asyncio.sleep(INTERVAL_S)
            with suppress(TimeoutError):
                assert await stale.plan(deep=True) is None
        assert one.names() == before

    sweeping(tmp_path, story)


def test_a_reader_that_does_not_reach_the_end_confirms_nothing() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-a")
        await create(world, "job-0", Script(seconds=1))
        await world.settle(60)
        await asyncio.sleep(5)
        ends = FreshEnds(world.log, WorkerKnowledge(worker.reader.live, worker.reader.positions))
        assert (await ends.confirm({0})).keys() == {0}
        worker.online.clear()
        await create(world, "job-1", Script(seconds=1))
        assert (await ends.confirm({0})).keys() == {0}, "a moment ago is fresh enough"
        await asyncio.sleep(FRESH_S)
        began = world.loop.time()
        assert await ends.confirm({0}) == {}
        assert world.loop.time() - began < 2 * REACH_S

    simulate(story, partitions=1)


def test_a_partition_that_was_given_up_is_not_confirmed() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-a")
        await create(world, "job-0", Script(seconds=1))
        await world.settle(60)
        await asyncio.sleep(5)
        ends = FreshEnds(world.log, WorkerKnowledge(worker.reader.live, worker.reader.positions))
        assert await ends.confirm({0})
        await worker.drain()
        assert await ends.confirm({0}) == {}

    simulate(story, partitions=1)


def test_nothing_is_deleted_once_the_log_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        one.put("job-lost/in/p")
        await one.go_on(ENOUGH_S - 5 * INTERVAL_S)
        await asyncio.sleep(ENOUGH_S)
        plan = await one.plan()
        assert [found.name for found in plan.doomed] == ["job-lost"]
        await asyncio.sleep(FRESH_S + 1)

        async def away(_: Topic) -> dict[int, int]:
            raise TimeoutError("no broker answers")

        with monkeypatch.context() as patch:
            patch.setattr(one.log, "end_offsets", away)
            with pytest.raises(TimeoutError):
                await one.sweep.carry_out(plan, asyncio.Event())
        assert "job-lost/in/p" in one.names()
        await one.append("job-lost", created())

    sweeping(tmp_path, story)
