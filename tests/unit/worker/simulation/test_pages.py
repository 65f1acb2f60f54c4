"""The records of a job's finished pages in the simulated world."""

import asyncio

from tests.support.simulation.clients import accounted, create, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World


def test_records_of_pages_of_an_earlier_attempt_go_after_the_end_of_a_later_one_without_any() -> None:
    name = "job-1/pages/0f/run-pages-00000.json"
    readable: list[bool] = []

    async def story(world: World) -> None:
        world.start_worker("worker-1")
        world.blobs.sync.restore("job", {name: b"{}"})
        await create(world, "job-1", Script(seconds=4, failures=1, page_records=True))
        await asyncio.sleep(6)
        readable.append(bool(await world.blobs.names("job-1/pages")))
        await asyncio.sleep(120)
        assert await world.blobs.names("job-1/pages") == ()

    world = simulate(story, slots=1)
    accounted(world, ["job-1"])
    assert world.history.jobs["job-1"].attempt == 2
    assert readable == [True]
