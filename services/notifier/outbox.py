"""The outbox: facts about deliveries, stored in the transaction of the row that they are about."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg

from piperoll.postgres import POSTGRES_AWAY, load_queries
from schemas.envelope import Fact

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"
SQL = load_queries("services.notifier", "outbox.sql")

TRANSIENT = (*POSTGRES_AWAY, asyncpg.InterfaceError)
"""Errors that pass; asyncpg reports a connection that was closed meanwhile as an interface error too."""


async def add_to_outbox(connection: Connection, facts: Sequence[Fact]) -> None:
    """Store facts for the relay, in the caller's transaction."""
    if not facts:
        return
    await connection.execute(
        SQL["add_to_outbox"],
        [fact.id for fact in facts],
        [fact.subject for fact in facts],
        [fact.owner for fact in facts],
        [fact.time for fact in facts],
        [type(fact.data).__name__ for fact in facts],
        [fact.data.model_dump_json(exclude_none=True) for fact in facts],
    )
