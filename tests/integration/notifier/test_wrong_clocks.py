"""A notifier whose machine is a day ahead or behind: real Postgres and sockets, a log in memory that is right."""

from datetime import UTC, datetime, timedelta, tzinfo

import asyncpg
import pytest
from standardwebhooks import Webhook

from piperoll.log.broker_clock import BrokerClock
from piperoll.postgres import server_time
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from schemas.events import WebhookDelivered, WebhookFailed
from schemas.ids import draw_job_id, draw_signing_key_id
from schemas.topics import JOB_DELIVERIES
from tests.support.memory_log import MemoryLog
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import STARTED, running

DAY = timedelta(days=1)
CLOSE = timedelta(minutes=1)
WRONG = pytest.mark.parametrize("ahead", [DAY, -DAY], ids=["ahead", "behind"])


def right_time() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def clock(ahead: timedelta, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> BrokerClock:
    """The clock of a notifier that has connected; all that reads the machine's own is wrong."""

    class Machine(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + ahead

    monkeypatch.setattr("piperoll.clock.datetime", Machine)
    own = BrokerClock()
    own.follow(await server_time(fresh))
    return own


@WRONG
async def test_its_difference_is_named(clock: BrokerClock, ahead: timedelta) -> None:
    way = "ahead of" if ahead > timedelta() else "behind"
    assert f"86400 s {way} that of Kafka" in (clock.problem() or "").replace("86399 s", "86400 s")


@WRONG
async def test_retries_keep_their_delays_and_the_order_and_their_facts_the_time_of_the_log(
    clock: BrokerClock, quick: Settings
) -> None:
    log = MemoryLog(clock=right_time)
    async with Receiver() as receiver, running(quick, log, clock=clock) as rig:
        receiver.answers("/hook", status(200), status(500), status(503), status(200))
        job_id = await rig.run_job(receiver.url(), progress=3)
        await rig.wait_for_state(job_id, "delivered")
        assert [one.json["phase"] for one in receiver.at("/hook")] == ["processing", *["completed"] * 3]
        facts = await rig.wait_for_deliveries(job_id, 4)
        assert [type(fact) for fact in facts] == [
            WebhookDelivered,
            WebhookFailed,
            WebhookFailed,
            WebhookDelivered,
        ]
        ends = await log.end_offsets(JOB_DELIVERIES)
        records = await log.read_range(JOB_DELIVERIES, dict.fromkeys(ends, 0), ends)
        assert all(abs(record.fact().time - right_time()) < CLOSE for record in records)


@WRONG
async def test_receivers_accept_its_signatures(clock: BrokerClock, quick: Settings) -> None:
    async with Receiver() as receiver, running(quick, MemoryLog(clock=right_time), clock=clock) as rig:
        key = await signing_keys.rotate(rig.pool, rig.seal, "owner", 3600.0, draw_signing_key_id())
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        sent = receiver.at("/hook")[-1]
        Webhook(key[0].secret).verify(sent.body, {name.lower(): text for name, text in sent.headers.items()})


@WRONG
async def test_a_registered_endpoint_gets_each_change_in_order(clock: BrokerClock, quick: Settings) -> None:
    async with Receiver() as receiver, running(quick, MemoryLog(clock=right_time), clock=clock) as rig:
        receiver.answers("/hook", status(200), status(500), status(200))
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED, rig.completed(job_id))
        await receiver.wait_for(lambda it: len(it.at("/hook")) == 4)
        assert [one.json["status"] for one in receiver.at("/hook")] == ["PENDING", "IN_PROGRESS", "IN_PROGRESS", "DONE"]
