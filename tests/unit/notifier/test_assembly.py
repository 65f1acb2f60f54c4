"""The notifier as its composition root connects it: who names an outage, and whose time is written."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from piperoll.background import Background
from piperoll.log.broker_clock import BrokerClock
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.stops import SkippedRecords, Stops
from piperoll.runtime import Lifetime
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.notifier.app import _consumer
from services.notifier.assembly import Log, Notifier, assemble
from services.notifier.notices.changes import Change, Following, RegisteredEndpoint
from services.notifier.notices.queue import add_endpoint, save_following
from services.notifier.readers.server import PostgresServer
from tests.support.memory_log import MemoryLog
from tests.support.outages import held_up, succeed
from tests.support.simulation.postgres.notifier import BLANK
from tests.support.simulation.postgres.pool import ModelPool
from tests.support.simulation.postgres.server import ModelPostgres
from tests.support.simulation.virtual_time import VirtualLoop

BROKERS_NOW = datetime(2020, 1, 1, tzinfo=UTC)
"""Far from the time of this machine and of Postgres."""
SETTINGS = Settings.from_environment({"PIPEROLL_SEAL_KEYS": f"test:{b64encode(bytes(32)).decode()}"})


class MachineTime:
    """What the model of Postgres needs of an event loop, by another clock than the brokers'."""

    @staticmethod
    def clock() -> datetime:
        return datetime.now(UTC)

    def create_future(self) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()


@pytest.fixture
def postgres() -> ModelPostgres:
    return ModelPostgres(cast(VirtualLoop, MachineTime()))


@pytest.fixture
async def notifier(postgres: ModelPostgres) -> AsyncIterator[Notifier]:
    log, stopping, server = MemoryLog(), asyncio.Event(), PostgresServer()
    clients = Log(log, log, DeadLetters(log), "memory", lambda: BROKERS_NOW)
    async with AsyncExitStack() as owned:
        blobs = AsyncBlobs(Blobs("memory:///"))
        owned.callback(blobs.close)
        pool = cast(Any, ModelPool(postgres, server.meet))
        yield assemble(SETTINGS, pool, clients, Background(stopping), stopping, owned, blobs, server)


async def test_each_reader_names_its_own_outage_and_no_other_one_ends_it(notifier: Notifier) -> None:
    lifetime = Lifetime()
    stops = Stops("group", SkippedRecords(AsyncBlobs(Blobs("memory:///"))), None)
    readers = {
        JOB_EVENTS: notifier.job_events,
        JOB_DELIVERIES: notifier.deliveries,
        ENDPOINT_EVENTS: notifier.endpoint_events,
    }
    for topic, reader in readers.items():
        _consumer(SETTINGS, lifetime, topic, reader, BrokerClock(), stops)

    async with held_up(notifier.deliveries.outage):
        for reader in (notifier.job_events, notifier.endpoint_events):
            await succeed(reader.outage)
        assert problems_of_stores(lifetime) == {"piperoll.notifier.deliveries.stores"}
    assert not problems_of_stores(lifetime)


def problems_of_stores(lifetime: Lifetime) -> set[str]:
    return {name for name in lifetime.problems() if name.endswith(".stores")}


def hook(state: str, final_at: datetime) -> dict[str, Any]:
    due = {"next_attempt_at": final_at} if state == "open" else {}
    known = {"job_id": "job-1", "owner": "owner", "partition": 0, "origin": "http://a:80", "url": "http://a/"}
    return {**BLANK, **known, "state": state, "final_phase": "completed", "final_at": final_at, **due}


async def test_a_hook_that_is_held_is_held_at_the_time_of_the_log(notifier: Notifier, postgres: ModelPostgres) -> None:
    postgres.tables["queue"]["job-1"] = hook("late", BROKERS_NOW)
    await notifier.sweep.hold_late()
    assert [fact["time"] for fact in postgres.tables["outbox"].values()] == [BROKERS_NOW]


@pytest.mark.parametrize(("days", "given_up"), [(1, 0), (60, 1)])
async def test_a_hook_is_given_up_by_its_age_in_the_log(
    notifier: Notifier, postgres: ModelPostgres, days: int, given_up: int
) -> None:
    postgres.tables["queue"]["job-1"] = hook("open", BROKERS_NOW - timedelta(days=days))
    await notifier.sweep.give_up()
    assert [fact["time"] for fact in postgres.tables["outbox"].values()] == [BROKERS_NOW] * given_up


@pytest.mark.parametrize(("days", "given_up"), [(1, 0), (60, 1)])
async def test_a_change_is_given_up_by_its_age_in_the_log(
    notifier: Notifier, postgres: ModelPostgres, days: int, given_up: int
) -> None:
    await store_changes(postgres, BROKERS_NOW - timedelta(days=days), jobs=1)
    await notifier.sweep.give_up_notices()
    assert [fact["time"] for fact in postgres.tables["outbox"].values()] == [BROKERS_NOW] * given_up


async def test_an_ended_endpoint_is_withdrawn_in_pieces_until_nothing_is_open(
    notifier: Notifier, postgres: ModelPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifier.notices.queue.PIECE", 2)
    await store_changes(postgres, BROKERS_NOW, jobs=5)
    postgres.tables["notifier_endpoints"]["endpoint-1"]["state"] = "gone"
    assert await notifier.sweep._notices.withdraw_ended(BROKERS_NOW) == 2
    assert len(postgres.tables["outbox"]) == 2
    await notifier.sweep.withdraw_ended()
    rows = postgres.tables["notices"].values()
    assert [row["next_attempt_at"] for row in rows] == [None] * 5
    assert len(postgres.tables["outbox"]) == 5


async def store_changes(postgres: ModelPostgres, at: datetime, jobs: int) -> None:
    """An endpoint with an open change of each of these jobs."""
    endpoint = RegisteredEndpoint("endpoint-1", "owner", "http://a:80", "http://a/", None, "", frozenset(), at)
    found = Following([endpoint], {}, at)
    found.notices = {
        (f"job-{number}", "endpoint-1"): [Change(number=1, status="DONE", at=at)] for number in range(jobs)
    }
    async with ModelPool(postgres, PostgresServer().meet).acquire() as connection:
        await add_endpoint(cast(Any, connection), endpoint)
        await save_following(cast(Any, connection), found)
