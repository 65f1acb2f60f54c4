"""A sweep over what a course of events left: blobs that a job in the log names stay, and orphans go."""

import asyncio

import pytest

from piperoll.log.stops import SkippedRecords
from schemas.events import JobCancelled
from services.worker.cleanup.sweep.knowledge import ScannedKnowledge
from services.worker.cleanup.sweep.sweeper import StoreSweep
from tests.support.runs.sweeping import ENOUGH_S, INTERVAL_S
from tests.support.simulation.clients import fact, simulate
from tests.support.simulation.playing import ENVIRONMENT, SESSION_S, Play
from tests.support.simulation.product import settings_of
from tests.support.simulation.schedule import draw_schedule
from tests.support.simulation.world import World

ORPHANS = ("job-lost-1", "job-lost-2", "batch-lost")


@pytest.mark.parametrize("seed", range(40))
def test_a_sweep_keeps_what_jobs_name_and_deletes_what_no_fact_names(seed: int) -> None:
    async def story(world: World) -> None:
        for orphan in ORPHANS:
            world.store.keep(f"{orphan}/in", b"{}")
        await Play(world, draw_schedule(seed)).run()
        sweep = sweep_of(world)
        for process in world.processes.values():
            if not process.dead:
                process.crash()
        named = {uri for uri in named_by_jobs(world) if uri in blobs(world)}
        for number in range(int(2 * ENOUGH_S // INTERVAL_S)):
            for part in range(2 * world.partitions):  # the log goes on, so that backlogs forget what ended
                world.accept(fact(world, f"job-later-{number}-{part}", JobCancelled(by="user-1")))
            plan = await sweep.plan(deep=True)
            if plan is not None:
                await sweep.note(plan)
                await sweep.carry_out(plan, asyncio.Event())
            assert named - blobs(world) == set()
            await asyncio.sleep(INTERVAL_S)
        assert {uri for uri in blobs(world) if uri.startswith(ORPHANS)} == set()

    simulate(story, seed, partitions=2, session_s=SESSION_S, environment=ENVIRONMENT)


def sweep_of(world: World) -> StoreSweep:
    knowledge = ScannedKnowledge(world.log, range(world.partitions), SkippedRecords(world.blobs))
    settings = settings_of(next(iter(world.processes.values())))
    return StoreSweep(settings, world.blobs, world.log, knowledge, None, world.loop.clock, world.chances)


def named_by_jobs(world: World) -> set[str]:
    claims = [
        claim
        for job in world.history.jobs.values()
        if not job.erased
        for claim in (job.parameters, job.result, job.error)
    ]
    return {claim.uri for claim in claims if claim is not None}


def blobs(world: World) -> set[str]:
    return set(world.store.snapshot(""))
