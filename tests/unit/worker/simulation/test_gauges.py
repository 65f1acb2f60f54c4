"""The worker's gauges of ages follow the time of the log, whatever the machine's clock shows."""

import asyncio

import pytest

from schemas.events import JobErased
from services.worker import metrics
from services.worker.app import MEASURE_INTERVAL_S, measure
from tests.support.simulation.clients import create, fact, simulate
from tests.support.simulation.world import World

AGE_S = 60.0


def test_the_age_of_a_pending_erasure_is_counted_from_its_append_by_the_same_clock() -> None:
    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        parts = worker.parts
        stopping = asyncio.Event()
        measuring = asyncio.create_task(
            measure(parts.runner, parts.reader, parts.eraser, world.log, worker.clock, stopping)
        )
        await create(world, "job-1")
        await world.settle(60)
        world.store.away = True
        await world.append(fact(world, "job-1", JobErased(by="user-1")))
        await asyncio.sleep(AGE_S)
        stopping.set()
        await measuring

    simulate(story)
    (age,) = (sample.value for family in metrics.OLDEST_PENDING_ERASURE.collect() for sample in family.samples)
    assert age == pytest.approx(AGE_S, abs=2 * MEASURE_INTERVAL_S)
