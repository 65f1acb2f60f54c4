"""Final hooks that end without a further attempt: one transaction ends the rows and stores the facts."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import asyncpg
import structlog

from schemas.ids import delivery_id
from services.notifier.delivery.facts import About, abandoned_fact
from services.notifier.hooks.queue import SQL
from services.notifier.outbox import add_to_outbox

log = structlog.get_logger()

Reason = Callable[[asyncpg.Record], str]
"""Returns the code of the reason from a hook's row."""


async def end_hooks(
    pool: asyncpg.Pool, statement: str, arguments: tuple[Any, ...], reason: Reason, now: datetime
) -> int:
    """Run a statement that ends and returns rows, `now`; return their number. Raises asyncpg's errors."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(SQL[statement], *arguments)
        facts = [abandoned_fact(_final_hook(row), row["attempts"], reason(row), now) for row in rows]
        await add_to_outbox(connection, facts)
    if rows:
        log.warning("final_hooks_not_sent", hooks=len(rows), reasons=sorted({reason(row) for row in rows}))
    return len(rows)


def _final_hook(row: asyncpg.Record) -> About:
    return About(
        job_id=row["job_id"],
        owner=row["owner"],
        delivery_id=delivery_id(row["job_id"], "final"),
        phase=row["final_phase"],
        origin=row["origin"],
        request=row["request"],
    )
