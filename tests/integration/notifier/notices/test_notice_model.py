"""The simulation's model of endpoints and notices does what Postgres does: the same calls leave the same rows."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.postgres import migrate
from schemas.events import JobCompleted
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.notices import queue
from services.notifier.notices.changes import Change, ClaimedNotice, Following, RegisteredEndpoint
from services.notifier.notices.outcome import NoticeOutcome
from services.notifier.notices.queue import NoticeQueue
from services.notifier.readers.server import PostgresServer
from tests.integration.notifier.test_modelled_queue import LONG_S, MachineTime
from tests.support.histories.jobs import created
from tests.support.histories.lives import folded
from tests.support.simulation.postgres import notices as model
from tests.support.simulation.postgres.pool import ModelPool
from tests.support.simulation.postgres.server import ModelPostgres
from tests.support.simulation.virtual_time import VirtualLoop

CALLS = 120
JOBS = [f"job-{number}" for number in range(4)]
OWNERS = ["owner-0", "owner-1"]
ENDPOINTS = [f"endpoint-{number}" for number in range(3)]
LONG_AGO = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
TABLES = {"endpoints": model.ENDPOINTS, "followed": model.FOLLOWED, "notices": model.TABLE}


@dataclass(slots=True)
class Side:
    """Postgres or the model of it."""

    pool: Any
    queue: NoticeQueue
    claimed: dict[tuple[str, str], ClaimedNotice]


@pytest.fixture
async def sides(pool: asyncpg.Pool) -> tuple[Side, Side, ModelPostgres]:
    await migrate(pool, "services.notifier", "notifier.sql")
    await pool.execute("TRUNCATE notifier.endpoints, notifier.followed, notifier.notices, notifier.outbox")
    server = ModelPostgres(cast(VirtualLoop, MachineTime()))
    real, modelled = (
        Side(one, NoticeQueue(cast(Any, one), "one"), {}) for one in (pool, ModelPool(server, PostgresServer().meet))
    )
    return real, modelled, server


@pytest.mark.parametrize("seed", range(10))
async def test_the_same_calls_leave_the_same_rows(
    seed: int, sides: tuple[Side, Side, ModelPostgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PIECE", 2)
    real, modelled, server = sides
    dice = random.Random(seed)
    for number in range(CALLS):
        call, state = dice.choice(CALLED), dice.getstate()
        answers = []
        for side in (real, modelled):
            dice.setstate(state)
            answers.append(await call(side, dice))
        assert answers[0] == answers[1], (number, call.__name__)
        for table, name in TABLES.items():
            stored = await real.pool.fetch(f"SELECT * FROM notifier.{table}")
            assert seen(stored) == seen(list(server.committed[name].values())), (number, call.__name__, table)


def seen(rows: list[Any]) -> list[tuple[tuple[str, Any], ...]]:
    """Rows in one order; of the times that a statement sets, whether they are due yet."""
    return sorted((tuple(sorted(_seen(dict(row)).items())) for row in rows), key=repr)


def _seen(row: dict[str, Any]) -> dict[str, Any]:
    now = utc_now()
    row.pop("seen_at", None)
    if "leased_until" in row:
        row["leased_until"] = row["leased_until"].replace(tzinfo=UTC) > now  # asyncpg's -infinity has no zone
        row["leased_by"] = row["leased_until"] and row["leased_by"]
        at = row["next_attempt_at"]
        row["next_attempt_at"] = at and ("later" if at > now + timedelta(seconds=LONG_S / 2) else "due")
        changes = queue.CHANGES.validate_json(row["changes"]) if isinstance(row["changes"], str) else row["changes"]
        row["changes"] = [one.number if isinstance(one, Change) else one["number"] for one in changes]
    return row


def endpoint(dice: random.Random) -> RegisteredEndpoint:
    number = dice.randrange(len(ENDPOINTS))
    origin = f"http://{number % 2}:80"
    owner = OWNERS[number % 2]
    return RegisteredEndpoint(ENDPOINTS[number], owner, origin, f"{origin}/", None, "sealed", frozenset(), LONG_AGO)


async def register(side: Side, dice: random.Random) -> Any:
    async with side.pool.acquire() as connection, connection.transaction():
        await queue.add_endpoint(connection, endpoint(dice))
        return sorted(one.endpoint_id for one in await queue.endpoints_of(connection, OWNERS))


async def follow(side: Side, dice: random.Random) -> Any:
    one, job_id, first = endpoint(dice), dice.choice(JOBS), dice.randint(1, 4)
    events = [created()] if dice.random() < 0.5 else [created(), JobCompleted(run="run", result=created().parameters)]
    found = Following([one], {}, LONG_AGO)
    found.jobs[job_id] = folded(*events)
    old = dice.random() < 0.3
    found.notices[job_id, one.endpoint_id] = [
        Change(number=number, status="DONE", at=LONG_AGO if old else utc_now())
        for number in range(first, first + dice.randint(1, 2))
    ]
    async with side.pool.acquire() as connection, connection.transaction():
        await queue.save_following(connection, found)
        rows = await queue.following(connection, OWNERS, JOBS, LONG_AGO)
    return sorted(rows.jobs)


async def claim(side: Side, dice: random.Random) -> Any:
    due = await side.queue.due_receivers()
    rooms = {ReceiverKey(owner, f"http://{number}:80"): 10 for number, owner in enumerate(OWNERS)}
    rows = await side.queue.claim(rooms, LONG_S)
    side.claimed |= {(row.job_id, row.endpoint_id): row for row in rows}
    return sorted(due), sorted(
        (row.job_id, row.endpoint_id, row.change.number, row.attempts, row.url or "", row.secret or "") for row in rows
    )


async def settle(side: Side, dice: random.Random) -> Any:
    chosen = [name for name in sorted(side.claimed) if dice.random() < 0.7]
    outcomes = [
        NoticeOutcome(
            claimed=side.claimed.pop(name),
            attempts=dice.randint(0, 4),
            at=utc_now(),
            delay_s=dice.choice([None, None, 0.0, LONG_S]),
            gone=dice.random() < 0.1,
        )
        for name in chosen
    ]
    due = await side.queue.settle(outcomes) if outcomes else {}
    return {receiver: in_s > LONG_S / 2 for receiver, in_s in due.items()}


async def settle_from_log(side: Side, dice: random.Random) -> Any:
    settled = {(dice.choice(JOBS), dice.choice(ENDPOINTS)): ("owner-0", dice.randint(1, 5)) for _ in range(2)}
    async with side.pool.acquire() as connection, connection.transaction():
        await queue.settle_from_log(connection, settled)


async def end(side: Side, dice: random.Random) -> Any:
    name, state, owner = dice.choice(ENDPOINTS), dice.choice(["gone", "removed"]), dice.choice(OWNERS)
    async with side.pool.acquire() as connection, connection.transaction():
        await queue.end_endpoint(connection, name, state, utc_now())
        return await queue.forget_followed(connection, owner)


async def try_one(side: Side, dice: random.Random) -> Any:
    change = Change(number=1, status="PENDING", at=LONG_AGO, trial=True)
    async with side.pool.acquire() as connection, connection.transaction():
        return await queue.add_trial(connection, dice.choice(ENDPOINTS), dice.choice(["trial-1", "trial-2"]), change)


async def give_up(side: Side, dice: random.Random) -> Any:
    return await side.queue.give_up(3, dice.choice([LONG_S, 1e9]), utc_now())


async def tidy(side: Side, dice: random.Random) -> Any:
    return await side.queue.withdraw_ended(utc_now()), await side.queue.forget_unfollowed()


async def release(side: Side, dice: random.Random) -> Any:
    await side.queue.release()


CALLED: tuple[Callable[[Side, random.Random], Any], ...] = (
    *(register, register, follow, follow, follow, follow, claim, claim, settle, settle),
    *(settle_from_log, end, try_one, give_up, tidy, release),
)
