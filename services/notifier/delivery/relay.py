"""Moves facts from the outbox to the log: appended until acknowledged, then deleted."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from itertools import chain

import asyncpg

from piperoll.background import Background
from piperoll.clock import happens_within
from piperoll.log.contract import Appender, AppendError
from schemas.envelope import Fact
from schemas.events import EVENTS
from schemas.topics import JOB_DELIVERIES
from services.notifier.delivery.pace import RoundInterval
from services.notifier.outbox import SQL, TRANSIENT, Connection

WORK = "the relay of delivery facts"
LOCK = 0x6E6F7469  # any number; the process that holds it relays, so that a job's facts keep their order over processes
GROUP = 500
POLL_S = 1.0  # for facts of other processes, and for the lock of one that ended
ROUND_S = 0.05  # between two reads: these facts are not urgent
PAUSE_S = 1.0


class Relay:
    """One per process; only one of all processes works at a time."""

    def __init__(self, pool: asyncpg.Pool, appender: Appender, written: asyncio.Event, background: Background) -> None:
        self._pool = pool
        self._appender = appender
        self._written = written
        self._background = background
        self._pace = RoundInterval(ROUND_S)

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until `stopping` is set and the outbox was emptied once more."""
        while True:
            try:
                async with self._pool.acquire() as connection:
                    if await self._lead(connection, stopping):
                        return
            except (*TRANSIENT, AppendError) as error:
                self._background.failed(WORK, error)
                if stopping.is_set():
                    return  # the outbox keeps the rest
                await asyncio.sleep(PAUSE_S)

    async def _lead(self, connection: Connection, stopping: asyncio.Event) -> bool:
        """Relay while this session has the lock; return whether it is time to end."""
        if not await connection.fetchval(SQL["lead_relay"], LOCK):
            self._background.recovered(WORK)
            await happens_within(self._written, POLL_S)
            self._written.clear()  # the leader reads what was written; left set, it would end every later wait at once
            return stopping.is_set()
        try:
            await connection.execute(SQL["lose_relay_if_silent"])
            return await self._relay_until(connection, stopping)
        finally:
            await _leave(connection)

    async def _relay_until(self, connection: Connection, stopping: asyncio.Event) -> bool:
        while True:
            await self._pace.turn()
            self._written.clear()
            last = stopping.is_set()
            while await self._relay(connection) == GROUP:
                pass
            if last:
                return True
            await happens_within(self._written, POLL_S)

    async def _relay(self, connection: Connection) -> int:
        """Relay one group; return the number of facts. Jobs in parallel, the facts of one job in order."""
        rows = await connection.fetch(SQL["read_outbox"], GROUP)
        by_job: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            by_job[row["job_id"]].append(row)
        done = await asyncio.gather(*(self._append(one) for one in by_job.values()))
        if rows:
            await connection.execute(SQL["clear_outbox"], list(chain.from_iterable(done)))
        self._background.recovered(WORK)
        return len(rows)

    async def _append(self, rows: list[asyncpg.Record]) -> list[int]:
        for row in rows:
            await self._appender.append(JOB_DELIVERIES, _fact(row))
        return [row["id"] for row in rows]


async def _leave(connection: Connection) -> None:
    """Give the lead back; a session that cannot is closed. An error here would hide the one that ended the lead."""
    try:
        await connection.execute(SQL["leave_relay"], LOCK)
        await connection.execute(SQL["stay_if_silent"])
    except TRANSIENT:
        with suppress(asyncpg.InterfaceError):  # the pool took back a connection that the server closed
            connection.terminate()


def _fact(row: asyncpg.Record) -> Fact:
    return Fact(
        id=row["ce_id"],
        subject=row["job_id"],
        owner=row["owner"],
        time=row["time"],
        source="notifier",
        data=EVENTS[row["type"]].model_validate_json(row["data"]),
    )
