"""A producer of the client library that stops working: another one takes its place."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from piperoll.clock import utc_now
from piperoll.log import producer as producers
from piperoll.log.broker_clock import BrokerClock
from piperoll.log.producer import KafkaAppender, StalledProducerError
from schemas.topics import JOB_EVENTS
from tests.support.histories.jobs import created, fact
from tests.support.waiting import PATIENCE_S, wait_until


async def never(*_: Any) -> None:
    await asyncio.Event().wait()


def spoil(appender: KafkaAppender, send: Callable[..., Any]) -> None:
    """The appender's present producer sends by `send`."""
    assert appender._producer is not None
    appender._producer._sender._send_produce_req = send


async def test_a_producer_whose_sender_ended_is_replaced_and_nothing_waits_for_ever(appender: KafkaAppender) -> None:
    await appender.append(JOB_EVENTS, fact("job-1", created()))
    before = appender._producer

    async def boom(*_: Any) -> None:
        raise ValueError("an error that the client library does not expect")

    spoil(appender, boom)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(appender.append(JOB_EVENTS, fact(f"job-{number}", created())) for number in range(20)))
        await appender.append(JOB_EVENTS, fact("job-late", created()))
    assert appender._producer is not before
    assert appender.problem() is None


async def test_an_idle_producer_whose_sender_ended_is_replaced_at_the_next_append(appender: KafkaAppender) -> None:
    assert appender._producer is not None
    appender._producer._sender.sender_task.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await appender.append(JOB_EVENTS, fact("job-1", created()))


async def test_an_old_append_is_a_problem_and_its_producer_is_replaced(
    appender: KafkaAppender, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("LATE_S", 0.2), ("REPLACE_AFTER_S", 0.8), ("WATCH_S", 0.1)):
        monkeypatch.setattr(producers, name, seconds)
    stopping = asyncio.Event()
    watching = asyncio.create_task(appender.watch(stopping))
    spoil(appender, never)
    append = asyncio.create_task(appender.append(JOB_EVENTS, fact("job-1", created())))
    await wait_until(lambda: "not acknowledged" in (appender.problem() or ""), PATIENCE_S, "the problem to be named")
    async with asyncio.timeout(PATIENCE_S):
        await append
    assert appender.problem() is None
    stopping.set()
    await watching


async def test_a_process_ends_when_new_producers_do_not_help(
    appender: KafkaAppender, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("REPLACE_AFTER_S", 0.3), ("END_AFTER_S", 1.5), ("WATCH_S", 0.1)):
        monkeypatch.setattr(producers, name, seconds)
    monkeypatch.setattr("aiokafka.producer.sender.Sender._send_produce_req", never)
    append = asyncio.create_task(appender.append(JOB_EVENTS, fact("job-1", created())))
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(StalledProducerError, match="has not acknowledged"):
            await appender.watch(asyncio.Event())
    append.cancel()


async def test_an_append_corrects_the_clock_of_a_machine_that_is_hours_off(appender: KafkaAppender) -> None:
    appender.clock = BrokerClock(lambda: utc_now() + timedelta(hours=2))
    await appender.append(JOB_EVENTS, fact("job-1", created()))
    assert abs((appender.clock() - utc_now()).total_seconds()) < 1.5
    assert "7200 s ahead of that of Kafka" in (appender.clock.problem() or "")
