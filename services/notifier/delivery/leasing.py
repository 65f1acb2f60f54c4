"""Rows with something due to a receiver, leased to one process at a time: common to both queues.

Each queue adds a statement `claim`. Decides nothing, sends nothing.
"""

from collections.abc import Mapping, Sequence

import asyncpg

from piperoll.postgres import load_queries
from services.notifier.delivery.due_receivers import MOST_RECEIVERS, ReceiverKey, Rotation


class Leasing:
    """The leases of a queue. `instance` is the name under which they are taken."""

    def __init__(self, pool: asyncpg.Pool, instance: str, statements: Mapping[str, str]) -> None:
        self._pool = pool
        self._instance = instance
        self._statements = statements
        self._rotation = Rotation()

    async def release(self) -> None:
        """End the leases of an earlier process of this name, so that its rows are sent again at once."""
        await self._pool.execute(self._statements["release"], self._instance)

    async def due_receivers(self) -> dict[ReceiverKey, float]:
        """Receivers with something to send, and in how many seconds (negative: overdue).

        At most MOST_RECEIVERS of an owner; the next call returns the following ones.
        """
        owners, after = self._rotation.after
        rows = await self._pool.fetch(self._statements["due_receivers"], owners, after, MOST_RECEIVERS)
        due = {ReceiverKey(row["owner"], row["origin"]): row["in_s"] for row in rows}
        self._rotation.turn(list(due))
        return due

    async def backlog(self) -> tuple[int, float]:
        """The number of due rows, and the age of the oldest in seconds."""
        (row,) = await self._pool.fetch(self._statements["backlog"])
        return row["due"], row["oldest_s"]

    async def _lease(self, rooms: Mapping[ReceiverKey, int], lease_s: float) -> Sequence[asyncpg.Record]:
        """Lease due rows: at most `rooms[receiver]` of each. No other process gets them until the lease ends."""
        owners, origins = [one.owner for one in rooms], [one.origin for one in rooms]
        counts = list(rooms.values())
        return await self._pool.fetch(self._statements["claim"], owners, origins, counts, lease_s, self._instance)


def leasing_statements(table: str) -> dict[str, str]:
    """The statements `release`, `due_receivers` and `backlog` on the rows of a queue's table."""
    found = load_queries("services.notifier.delivery", "leasing.sql")
    return {name: sql.replace("notifier.leased_rows", table) for name, sql in found.items()}


def earliest(rows: Sequence[asyncpg.Record]) -> dict[ReceiverKey, float]:
    """By receiver, the seconds until the first of its settled rows is due again."""
    due: dict[ReceiverKey, float] = {}
    for row in rows:
        if row["in_s"] is not None:
            receiver = ReceiverKey(row["owner"], row["origin"])
            due[receiver] = min(row["in_s"], due.get(receiver, row["in_s"]))
    return due
