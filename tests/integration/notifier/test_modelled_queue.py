"""The simulation's model of the delivery queue does what Postgres does: the same calls leave the same rows."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import asyncpg
import pytest

from piperoll.clock import utc_now
from piperoll.postgres import migrate
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.hooks.fold import Tracked
from services.notifier.hooks.order import ClaimedHook, HookProgress
from services.notifier.hooks.outcome import HookOutcome
from services.notifier.hooks.queue import SQL, HookQueue
from services.notifier.hooks.rows import load_jobs, save_jobs
from services.notifier.hooks.webhook import JobWebhook
from services.notifier.readers.server import PostgresServer
from tests.support.histories.jobs import OWNER, created
from tests.support.histories.lives import ERASED, folded
from tests.support.simulation.postgres.pool import ModelPool
from tests.support.simulation.postgres.server import ModelPostgres
from tests.support.simulation.virtual_time import VirtualLoop

JOBS = [f"job-{number}" for number in range(5)]
ORIGINS = ["http://a:80", "http://b:80"]
LONG_S = 1000.0
CALLS = 80
LONG_AGO = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class MachineTime:
    """What the model needs of an event loop, by the clock of this machine."""

    clock = staticmethod(utc_now)

    def create_future(self) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class Side:
    """One of the two queues."""

    pool: Any
    queue: HookQueue
    claimed: dict[str, ClaimedHook]


@pytest.fixture
async def sides(pool: asyncpg.Pool) -> tuple[Side, Side, ModelPostgres]:
    await migrate(pool, "services.notifier", "notifier.sql")
    await pool.execute("TRUNCATE notifier.queue, notifier.outbox")
    model = ModelPostgres(cast(VirtualLoop, MachineTime()))
    real, modelled = (
        Side(one, HookQueue(cast(Any, one), "one"), {}) for one in (pool, ModelPool(model, PostgresServer().meet))
    )
    return real, modelled, model


@pytest.mark.parametrize("seed", range(8))
async def test_the_same_calls_leave_the_same_rows(seed: int, sides: tuple[Side, Side, ModelPostgres]) -> None:
    real, modelled, model = sides
    dice = random.Random(seed)
    for number in range(CALLS):
        call = dice.choice(CALLED)
        state = dice.getstate()
        answers = []
        for side in (real, modelled):
            dice.setstate(state)
            answers.append(await call(side, dice))
        assert answers[0] == answers[1], (number, call.__name__)
        stored = await real.pool.fetch("SELECT * FROM notifier.queue")
        assert seen(stored) == seen(list(model.committed["queue"].values())), (number, call.__name__)


def seen(rows: list[Any]) -> dict[str, dict[str, Any]]:
    """Rows by job; of the times that a statement sets, whether they are due yet."""
    now = utc_now()
    found = {}
    for row in rows:
        kept = {name: value for name, value in dict(row).items() if name != "seen_at"}
        kept["leased_until"] = kept["leased_until"].replace(tzinfo=UTC) > now  # asyncpg's -infinity has no zone
        kept["leased_by"] = kept["leased_until"] and kept["leased_by"]
        for name in ("next_attempt_at", "reopened_at"):
            kept[name] = kept[name] and ("later" if kept[name] > now + timedelta(seconds=LONG_S / 2) else "due")
        found[row["job_id"]] = kept
    return found


async def save(side: Side, dice: random.Random) -> Any:
    job_id = dice.choice(JOBS)
    job = folded(created(has_webhook=True), *([ERASED] if dice.random() < 0.3 else []))
    origin = dice.choice(ORIGINS)
    number = dice.randint(1, 5)
    ended = dice.random() < 0.5
    tracked = Tracked(
        job=job,
        webhook=JobWebhook(origin, f"{origin}/", "token", job_id) if dice.random() < 0.8 else None,
        progress=HookProgress(number, "step", 5) if dice.random() < 0.6 else None,
        final_phase=dice.choice(["completed", "error"]) if ended else None,
        final_at=LONG_AGO if ended else None,
        state=dice.choice(["open", "open", "open", "late"]),
        due=dice.random() < 0.6,
    )
    async with side.pool.acquire() as connection, connection.transaction():
        before = await load_jobs(connection, [job_id, "job-unknown"])
        await save_jobs(connection, 3, {job_id: tracked})
    return before


async def claim(side: Side, dice: random.Random) -> Any:
    due = await side.queue.due_receivers()
    rows = await side.queue.claim({ReceiverKey(OWNER, origin): 10 for origin in ORIGINS}, LONG_S)
    side.claimed |= {row.job_id: row for row in rows}
    return sorted(due), sorted(
        (row.job_id, row.url, row.attempts, row.progress, row.progress_muted, row.final_phase or "", row.request or "")
        for row in rows
    )


async def settle(side: Side, dice: random.Random) -> Any:
    names = sorted(side.claimed)
    chosen = [name for name in names if dice.random() < 0.7]
    outcomes = [
        HookOutcome(
            claimed=side.claimed.pop(name),
            state=dice.choice(["open", "open", "delivered", "abandoned"]),
            attempts=dice.randint(0, 4),
            progress_number=dice.choice([None, 2, 4]),
            mute=dice.random() < 0.2,
            delay_s=dice.choice([None, None, 0.0, LONG_S]),
        )
        for name in chosen
    ]
    due = await side.queue.settle(outcomes) if outcomes else {}
    return {receiver: in_s > LONG_S / 2 for receiver, in_s in due.items()}


async def settle_from_log(side: Side, dice: random.Random) -> Any:
    names = dice.sample(JOBS, 2)
    states = [dice.choice(["delivered", "abandoned", "held"]) for _ in names]
    requests = [dice.choice([None, "again"]) for _ in names]
    await side.pool.execute(SQL["settle_from_log"], 3, names, ["owner"] * 2, states, requests)


async def note_attempts(side: Side, dice: random.Random) -> Any:
    names = dice.sample(JOBS, 2)
    await side.pool.execute(SQL["note_attempts"], 3, names, ["owner"] * 2, [dice.randint(1, 4) for _ in names])
    rows = await side.pool.fetch(SQL["attempts_of"], JOBS)
    return sorted((row["job_id"], row["attempts"]) for row in rows)


async def reopen(side: Side, dice: random.Random) -> Any:
    names = dice.sample(JOBS, 2)
    phases = [dice.choice(["completed", "error"]) for _ in names]
    rows = await side.pool.fetch(SQL["reopen"], 3, names, ["owner"] * 2, ["first", "second"], phases)
    standings = await side.pool.fetch(SQL["standings"], JOBS)
    return sorted((row["owner"], row["origin"] or "") for row in rows), sorted(
        (row["job_id"], row["state"], row["request"] or "") for row in standings
    )


async def hold_late(side: Side, dice: random.Random) -> Any:
    return ended(await side.pool.fetch(SQL["hold_late"], 10))


async def give_up(side: Side, dice: random.Random) -> Any:
    return ended(await side.pool.fetch(SQL["give_up"], 10, dice.choice([LONG_S, 1e9]), utc_now()))


def ended(rows: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of ended hooks."""
    names = ("job_id", "owner", "origin", "request", "final_phase", "attempts")
    return sorted(tuple(row[name] or "" for name in names) for row in rows)


async def release(side: Side, dice: random.Random) -> Any:
    if dice.random() < 0.3:
        await side.queue.release()


CALLED = (save, save, claim, settle, settle, settle_from_log, note_attempts, reopen, hold_late, give_up, release)
