"""The queue after lost tables, late records, repeats, and on another log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from piperoll.clock import utc_now
from piperoll.log.continuity import LogDivergedError
from piperoll.log.contract import Reader
from piperoll.settings import Settings
from schemas.events import WebhookAbandoned, WebhookDelivered
from schemas.ids import draw_job_id
from schemas.topics import DEAD_LETTERS, JOB_DELIVERIES, JOB_EVENTS
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import STARTED, MemoryLog, Rig, ago, running
from tests.support.waiting import wait_until

DAY_S = 86400


async def test_a_lost_schema_sends_nothing_again_and_nothing_is_lost(patient: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(patient, log) as rig:
            delivered = await rig.run_job(receiver.url())
            await rig.wait_for_deliveries(delivered, 1)
            waiting = draw_job_id()
            facts = (rig.created(waiting, receiver.url()), STARTED, rig.completed(waiting))
            await rig.append(waiting, *facts, deliver=False)
        async with running(patient, log) as rig:
            await rig.wait_for_state(waiting, "delivered")
            assert await rig.state(delivered) == "delivered"
        jobs = [hook.json["process"]["id"] for hook in receiver.received]
        assert sorted(jobs) == sorted([delivered, waiting])


async def test_an_end_first_seen_a_day_late_is_held_and_this_is_recorded(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient, MemoryLog(clock=ago(DAY_S + 60))) as rig:
        job_id = await rig.run_job(receiver.url(), progress=2)
        await rig.wait_for_state(job_id, "held")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert (fact.phase, fact.reason, fact.attempt) == ("completed", "TOO_OLD", 0)
        assert not receiver.received


async def test_content_that_the_store_cannot_read_now_costs_no_attempt(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = draw_job_id()
        completed = rig.completed(job_id)
        with unreadable(Path(f"{rig.blobs.root}/{job_id}/run")):
            await rig.append(job_id, rig.created(job_id, receiver.url()), STARTED, completed)
            await wait_until(lambda: put_off(rig, job_id), 20, "the attempt to be put off")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookDelivered)
        assert fact.attempt == 1


async def test_records_that_are_handed_over_twice_count_once(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        before = await rig.row(job_id)
        end = await rig.log.end_offsets(JOB_EVENTS)
        for part in end:
            records = await rig.log.read_range(JOB_EVENTS, {part: 0}, end)
            if records:
                await rig.notifier.job_events.handle(part, records)
        assert await rig.row(job_id) == before


async def test_a_job_with_a_foreign_record_under_its_key_still_has_its_outcome_delivered(patient: Settings) -> None:
    async with Receiver() as receiver, running(patient) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, receiver.url()))
        await rig.log.append_raw(JOB_EVENTS, job_id.encode(), b"?", [("ce_type", b"piperoll.JobStarted.v1")])
        await rig.append(job_id, STARTED, rig.completed(job_id))
        await rig.wait_for_state(job_id, "delivered")
        parked = await rig.log.read_range(
            DEAD_LETTERS, dict.fromkeys(range(rig.log.partitions), 0), await rig.log.end_offsets(DEAD_LETTERS)
        )
        assert [record.key for record in parked] == [job_id.encode()]
        assert len(receiver.received) == 1


@pytest.mark.parametrize("topic", [JOB_EVENTS, JOB_DELIVERIES])
async def test_a_queue_of_another_log_is_refused(patient: Settings, topic: object) -> None:
    async with Receiver() as receiver:
        async with running(patient) as rig:
            job_id = await rig.run_job(receiver.url())
            await rig.wait_for_deliveries(job_id, 1)
            await rig.log.deliver()
        async with running(patient, MemoryLog(), fresh=True) as rig:
            await rig.pool.execute("UPDATE notifier.checkpoints SET next_offset = 7")
            reader: Reader = rig.notifier.job_events if topic is JOB_EVENTS else rig.notifier.deliveries
            with pytest.raises(LogDivergedError, match="was filled from another log"):
                await reader.assigned({0})


async def test_rows_are_given_up_when_their_schedule_has_passed_and_removed_after_a_month(patient: Settings) -> None:
    async with running(patient) as rig:
        await rig.pool.execute(
            """INSERT INTO notifier.queue
                (job_id, partition, owner, origin, url, final_phase, final_at, state, next_attempt_at, seen_at)
            VALUES ('given-up', 0, 'o', 'http://x:1', 'http://x:1', 'error', now() - interval '9 days', 'open',
                    now() + interval '1 hour', now()),
                   ('delivered', 0, 'o', 'http://x:1', 'http://x:1', 'error', now(), 'delivered', NULL,
                    now() - interval '31 days'),
                   ('open', 0, 'o', 'http://x:1', 'http://x:1', NULL, NULL, 'open', NULL,
                    now() - interval '31 days')"""
        )
        await rig.notifier.sweep.give_up()
        await rig.notifier.sweep.remove_old()
        (fact,) = await rig.wait_for_deliveries("given-up", 1)
        assert isinstance(fact, WebhookAbandoned)
        assert fact.reason == "EXHAUSTED"

        async def removed() -> bool:
            return await rig.state("delivered") is None

        await wait_until(removed, 20, "the old row to be removed, by this call or by the notifier's own sweep")
        assert await rig.state("open") == "open"


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """A link to itself where a folder should be: an error of the store that is not "missing"."""
    kept = folder.rename(f"{folder}.kept")
    folder.symlink_to(folder)
    try:
        yield
    finally:
        folder.unlink()
        kept.rename(folder)


async def put_off(rig: Rig, job_id: str) -> bool:
    """Whether the hook was claimed and put off without being charged."""
    row = await rig.row(job_id)
    if row is None or row["leased_by"] is None or row["next_attempt_at"] is None:
        return False
    return bool(row["next_attempt_at"] > utc_now() and row["attempts"] == 0)
