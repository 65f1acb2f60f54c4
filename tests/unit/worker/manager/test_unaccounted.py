"""Open jobs that the process manager lost are reported, each once, with their histories."""

import asyncio

from structlog.testing import capture_logs

from schemas.topics import JOB_EVENTS
from services.worker.manager.unaccounted import report_unaccounted
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog
from tests.support.simulation.clients import create, simulate
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.world import World


def test_a_job_that_the_runner_lost_is_unaccounted_until_another_worker_takes_it_up() -> None:
    seen: list[list[str]] = []

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await create(world, "job-1", Script(seconds=5))
        await world.settle(60)
        await create(world, "job-2", Script(seconds=50))
        while not worker.pool.running:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.5)
        seen.append(worker.reader.unaccounted())
        worker.runner._forget("job-2")  # the fault: it forgets an open job
        seen.append(worker.reader.unaccounted())
        worker.crash()
        other = world.start_worker("worker-2")
        await world.settle(600)
        seen.append(other.reader.unaccounted())

    simulate(story)
    assert seen == [[], ["job-2"], []]


async def test_each_lost_job_is_logged_once_with_its_history() -> None:
    log = MemoryLog(partitions=1)
    for job_id in ("job-a", "job-b"):
        await log.append(JOB_EVENTS, fact(job_id, created(), 1))
    with capture_logs() as lines:
        first = await report_unaccounted(["job-a"], set(), log)
        second = await report_unaccounted(["job-a", "job-b"], first, log)
        third = await report_unaccounted([], second, log)
    assert (first, second, third) == ({"job-a"}, {"job-a", "job-b"}, set())
    assert [(line["event"], line["job_id"], len(line["history"])) for line in lines] == [
        ("job_unaccounted", "job-a", 1),
        ("job_unaccounted", "job-b", 1),
    ]
