"""The projector through outages, and on another log."""

import asyncio
from contextlib import suppress
from functools import partial

import pytest

from piperoll.log.continuity import LogDivergedError
from piperoll.runtime import Lifetime
from services.projector.app import main
from services.projector.rebuild import rebuild
from services.projector.verify.run import verify
from tests.support.projector.running import Log, sentences
from tests.support.stacks.projected import TIMEOUT_S
from tests.support.waiting import PATIENCE_S, wait_until


def _is_ready(lifetime: Lifetime) -> bool:
    return not lifetime.problems()


async def test_a_log_that_is_another_one_stops_the_projector_until_a_rebuild(log: Log) -> None:
    await log.append(jobs=5)
    async with log.projector():
        await log.caught_up()
    await log.statement("UPDATE read_v1.checkpoints SET last_ce_id = 'another' WHERE last_ce_id IS NOT NULL")
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(LogDivergedError, match="log diverged: rebuild"):
            await main(log.settings, Lifetime())
    await rebuild(log.settings)
    async with log.projector():
        await log.append(jobs=1)
        await log.caught_up()


async def test_without_postgres_the_projector_waits_and_then_goes_on_by_itself(log: Log) -> None:
    async with log.projector() as lifetime:
        await log.caught_up()
        await log.stack.stop_postgres()
        await log.append(jobs=10)
        await wait_until(lambda: "postgres_jobs" in lifetime.problems(), TIMEOUT_S, "the outage to be noticed")
        await log.stack.start_postgres()
        await log.caught_up()
        await wait_until(lambda: lifetime.problems() == {}, TIMEOUT_S, "the projector to be ready again")
    report = await verify(log.settings)
    assert report.holds, sentences(report)


async def test_a_projector_can_be_stopped_during_an_outage(log: Log) -> None:
    async with log.projector() as lifetime:
        await log.caught_up()
        await log.stack.stop_postgres()
        await log.append(jobs=1)
        await wait_until(lambda: "postgres_jobs" in lifetime.problems(), TIMEOUT_S, "the outage to be noticed")
    await log.stack.start_postgres()


async def test_projectors_cut_off_in_the_middle_lose_and_double_nothing(log: Log) -> None:
    async with log.projector():
        await log.append(jobs=1)
        await log.caught_up()
    for _ in range(3):
        lifetime, before = Lifetime(), await log.projected()
        task = asyncio.create_task(main(log.settings, lifetime))
        await log.append(jobs=1)
        # A client of aiokafka that is cut off while it connects leaves its connection open: all of them first.
        await wait_until(partial(log.came_further, before), TIMEOUT_S, "the projector to be at work")
        await wait_until(partial(_is_ready, lifetime), TIMEOUT_S, "all its readers to be at work")
        before = await log.projected()
        appending = asyncio.create_task(log.append(jobs=100))
        await wait_until(partial(log.came_further, before), TIMEOUT_S, "some of it to be projected")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await appending
    async with log.projector():
        await log.caught_up()
    report = await verify(log.settings)
    assert report.holds, sentences(report)
