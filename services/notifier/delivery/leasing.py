"""Rows with something due to a receiver, leased to one process at a time: what the queues have in common.

Each queue adds a statement `claim`. Decides nothing, sends nothing.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from piperoll.postgres import load_queries


class Leasing:
    """A queue as far as leases go. `instance` is the name that they are taken under."""

    def __init__(self, pool: asyncpg.Pool, instance: str, statements: Mapping[str, str]) -> None:
        self._pool = pool
        self._instance = instance
        self._statements = statements

    async def release(self) -> None:
        """Ends the leases of an earlier process of this name, so that what it was sending follows again at once."""
        await self._pool.execute(self._statements["release"], self._instance)

    async def due_origins(self) -> dict[str, float]:
        """Each receiver with something to send, and in how many seconds (below zero: since when)."""
        return {row["origin"]: row["in_s"] for row in await self._pool.fetch(self._statements["due_origins"])}

    async def backlog(self) -> tuple[int, float]:
        """How many rows are due, and the age of the oldest in seconds."""
        (row,) = await self._pool.fetch(self._statements["backlog"])
        return row["due"], row["oldest_s"]

    async def _lease(self, rooms: Mapping[str, int], lease_s: float) -> Sequence[asyncpg.Record]:
        """Due rows: at most `rooms[origin]` of each receiver. No other process gets them until the lease ends."""
        origins, counts = list(rooms), list(rooms.values())
        return await self._pool.fetch(self._statements["claim"], origins, counts, lease_s, self._instance)


def leasing_statements(table: str) -> dict[str, str]:
    """The statements `release`, `due_origins` and `backlog` on the rows of a queue's table."""
    found = load_queries("services.notifier.delivery", "leasing.sql")
    return {name: sql.replace("notifier.leased_rows", table) for name, sql in found.items()}


def earliest(rows: Sequence[asyncpg.Record]) -> dict[str, float]:
    """By receiver, in how many seconds the first of settled rows is due again."""
    due: dict[str, float] = {}
    for row in rows:
        if row["in_s"] is not None:
            due[row["origin"]] = min(row["in_s"], due.get(row["origin"], row["in_s"]))
    return due
