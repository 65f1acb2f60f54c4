"""Rows with something due to a receiver, leased to one process at a time: common to both queues.

Each queue adds a statement `claim`. Decides nothing, sends nothing.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from piperoll.postgres import load_queries


class Leasing:
    """The leases of a queue. `instance` is the name under which they are taken."""

    def __init__(self, pool: asyncpg.Pool, instance: str, statements: Mapping[str, str]) -> None:
        self._pool = pool
        self._instance = instance
        self._statements = statements

    async def release(self) -> None:
        """End the leases of an earlier process of this name, so that its rows are sent again at once."""
        await self._pool.execute(self._statements["release"], self._instance)

    async def due_origins(self) -> dict[str, float]:
        """Each receiver with something to send, and in how many seconds (negative: overdue)."""
        return {row["origin"]: row["in_s"] for row in await self._pool.fetch(self._statements["due_origins"])}

    async def backlog(self) -> tuple[int, float]:
        """The number of due rows, and the age of the oldest in seconds."""
        (row,) = await self._pool.fetch(self._statements["backlog"])
        return row["due"], row["oldest_s"]

    async def _lease(self, rooms: Mapping[str, int], lease_s: float) -> Sequence[asyncpg.Record]:
        """Lease due rows: at most `rooms[origin]` per receiver. No other process gets them until the lease ends."""
        origins, counts = list(rooms), list(rooms.values())
        return await self._pool.fetch(self._statements["claim"], origins, counts, lease_s, self._instance)


def leasing_statements(table: str) -> dict[str, str]:
    """The statements `release`, `due_origins` and `backlog` on the rows of a queue's table."""
    found = load_queries("services.notifier.delivery", "leasing.sql")
    return {name: sql.replace("notifier.leased_rows", table) for name, sql in found.items()}


def earliest(rows: Sequence[asyncpg.Record]) -> dict[str, float]:
    """By receiver, the seconds until the first of its settled rows is due again."""
    due: dict[str, float] = {}
    for row in rows:
        if row["in_s"] is not None:
            due[row["origin"]] = min(row["in_s"], due.get(row["origin"], row["in_s"]))
    return due
