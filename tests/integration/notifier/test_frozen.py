"""A notifier that is frozen in the middle of its work: others go on after seconds."""

import asyncio
import time

import pytest

from piperoll.background import Background
from piperoll.log.contract import PartitionBusyError
from piperoll.log.record import Position, partition_of
from piperoll.postgres import connect, connect_pool
from piperoll.settings import Settings
from schemas.envelope import Fact
from schemas.ids import draw_job_id
from schemas.topics import JOB_EVENTS, Topic
from services.notifier.delivery.relay import Relay
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import STARTED, running
from tests.support.waiting import wait_until

HOLD_UP_S = 15.0


class FrozenLog:
    """The appender of a process that runs no more."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        self.reached.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


async def test_a_frozen_leader_of_the_relay_loses_the_lead_within_15_seconds(local: Settings) -> None:
    dsn, frozen = local.postgres_dsn.get_secret_value(), FrozenLog()
    async with running(local):
        pass  # the schema is there
    async with Receiver() as receiver, await connect_pool(dsn, max_size=1) as pool:
        relaying = asyncio.create_task(
            Relay(pool, frozen, asyncio.Event(), Background(asyncio.Event())).run(asyncio.Event())
        )

        async with await connect_pool(dsn, max_size=1) as other:
            count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            await wait_until(lambda: other.fetchval(count), 10, "the lead to be taken")
        async with running(local, fresh=False) as rig:
            job_id = await rig.run_job(receiver.url("/hook"))
            await asyncio.wait_for(frozen.reached.wait(), 20)
            began = time.monotonic()
            await rig.wait_for_deliveries(job_id, 1, timeout=HOLD_UP_S)
            assert time.monotonic() - began < HOLD_UP_S
        relaying.cancel()
        done, _ = await asyncio.wait({relaying}, timeout=5)
        assert done, "the relay outlived its cancellation"


async def test_a_locked_partition_is_put_back_and_the_holder_is_named(local: Settings) -> None:
    async with running(local) as rig:
        frozen = await connect(local.postgres_dsn.get_secret_value(), "piperoll notifier frozen-1")
        job_id = draw_job_id()
        partition = partition_of(job_id, rig.log.partitions)
        await frozen.execute("BEGIN")
        await frozen.execute(
            "SELECT 1 FROM notifier.checkpoints WHERE topic = $1 AND partition = $2 FOR UPDATE",
            JOB_EVENTS.name,
            partition,
        )
        await rig.append(job_id, rig.created(job_id, "http://127.0.0.1:9/hook"), STARTED, deliver=False)
        began = time.monotonic()
        with pytest.raises(PartitionBusyError, match="frozen-1"):
            await rig.notifier.job_events.handle(partition, rig.log.records(JOB_EVENTS, partition))
        assert time.monotonic() - began < 2, "the reader waited for the lock"
        frozen.terminate()
        await asyncio.wait_for(rig.log.deliver(), HOLD_UP_S)
        assert await rig.row(job_id) is not None
