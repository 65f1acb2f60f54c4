"""From which changes on an endpoint is notified, and processes that share the notices."""

import asyncio
from datetime import timedelta

from piperoll.clock import utc_now
from piperoll.settings import Settings
from schemas.ids import draw_job_id
from schemas.topics import ENDPOINT_EVENTS
from tests.support.notifier.notices import pending, statuses_of, wait_for_statuses
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.stacks.notifying import STARTED, MemoryLog, running
from tests.support.waiting import wait_until


async def test_jobs_of_other_owners_and_unknown_job_types_are_not_sent(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), owner="another-owner")
        foreign = await rig.run_job("http://192.0.2.1/")
        assert await pending(rig) == 0
        assert await rig.pool.fetchval("SELECT count(*) FROM notifier.followed") == 0
        await rig.register(receiver.url())
        job_id = draw_job_id()
        noop = rig.created(job_id, None).model_copy(update={"job_type": "noop"})
        await rig.append(job_id, noop, STARTED)
        assert (await pending(rig), statuses_of(receiver, foreign), statuses_of(receiver, job_id)) == (0, [], [])


async def test_an_endpoint_gets_only_changes_after_its_registration(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        running_job = draw_job_id()
        await rig.append(running_job, rig.created(running_job, None), STARTED)
        ended = await rig.run_job("http://192.0.2.1/")
        await next_millisecond()
        await rig.register(receiver.url())
        await rig.append(running_job, rig.completed(running_job))
        await wait_for_statuses(receiver, running_job, "DONE")
        assert statuses_of(receiver, ended) == []


async def test_a_registration_read_after_the_jobs_it_concerns_misses_none_of_them(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), deliver=False)
        await rig.log.unsubscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        job_id = await rig.run_job("http://192.0.2.1/")
        later = draw_job_id()
        await rig.append(later, rig.created(later, None), STARTED)
        await rig.log.subscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        await rig.log.deliver()
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        await rig.append(later, rig.completed(later))
        await wait_for_statuses(receiver, later, "PENDING", "IN_PROGRESS", "DONE")


async def test_a_registration_read_while_jobs_come_in_misses_none_and_sends_none_twice(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.log.unsubscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        await rig.register(receiver.url(), deliver=False)
        job_ids: list[str] = []

        async def come_in() -> None:
            for _ in range(40):
                job_ids.append(await rig.run_job("http://192.0.2.1/"))

        async def join() -> None:
            await wait_until(lambda: len(job_ids) >= 10, 20, "the first jobs")
            await rig.log.subscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
            await rig.log.deliver()

        await asyncio.gather(come_in(), join())
        for job_id in job_ids:
            await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")


async def test_two_processes_share_the_notices_and_send_each_once(quick: Settings) -> None:
    log, other = MemoryLog(), quick.model_copy(update={"instance": "two"})
    async with Receiver() as receiver, running(quick, log) as one, running(other, log, fresh=False):
        await one.register(receiver.url())
        job_ids = [await one.run_job("http://192.0.2.1/") for _ in range(30)]
        for job_id in job_ids:
            await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        sent = [notice.headers["webhook-id"] for notice in receiver.received]
        assert len(sent) == len(set(sent)) == 90


async def test_what_a_killed_process_had_claimed_is_sent_when_its_lease_ends(quick: Settings) -> None:
    async with running(quick) as rig, Receiver() as receiver:
        receiver.answers("/hook", hang)
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None))
        await receiver.wait_for(lambda it: it.at("/hook"))
        await rig.pool.execute("UPDATE notifier.notices SET leased_until = now() + interval '1 second'")
        receiver.answers("/hook", status(200))
        await wait_until(lambda: len(receiver.at("/hook")) == 2, 20, "the second attempt")
        assert len({notice.headers["webhook-id"] for notice in receiver.at("/hook")}) == 1


async def next_millisecond() -> None:
    """Append times have no finer resolution."""
    begun = utc_now()
    await wait_until(lambda: utc_now() - begun > timedelta(milliseconds=2), 5, "the clock")
