"""The delivery queue in Postgres: claim and settle. Decides nothing, sends nothing."""

from collections.abc import Mapping, Sequence

import asyncpg
from pydantic_core import from_json

from piperoll.domain.job import CODEC
from piperoll.postgres import load_queries
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.delivery.leasing import Leasing, earliest, leasing_statements
from services.notifier.hooks.order import ClaimedHook, HookProgress
from services.notifier.hooks.outcome import HookOutcome
from services.notifier.outbox import add_to_outbox

SQL = {**load_queries("services.notifier.hooks", "hooks.sql"), **leasing_statements("notifier.queue")}


class HookQueue(Leasing):
    """The dispatcher's queue of hooks. `instance` is the name under which leases are taken."""

    def __init__(self, pool: asyncpg.Pool, instance: str) -> None:
        super().__init__(pool, instance, SQL)

    async def claim(self, rooms: Mapping[ReceiverKey, int], lease_s: float) -> list[ClaimedHook]:
        """See Leasing._lease."""
        return [_claimed(row) for row in await self._lease(rooms, lease_s)]

    async def settle(self, outcomes: Sequence[HookOutcome]) -> dict[ReceiverKey, float]:
        """Write the outcomes of claimed rows, and their facts, in one transaction.

        Returns the receivers with more to send, and the seconds until then. An outcome whose lease has expired is
        dropped with its facts, because another process has claimed the row.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                SQL["settle"],
                [outcome.claimed.job_id for outcome in outcomes],
                [outcome.claimed.leased_until for outcome in outcomes],
                [outcome.state for outcome in outcomes],
                [outcome.attempts for outcome in outcomes],
                [outcome.progress_number for outcome in outcomes],
                [outcome.mute for outcome in outcomes],
                [outcome.delay_s for outcome in outcomes],
            )
            settled = {row["job_id"] for row in rows}
            facts = [fact for outcome in outcomes if outcome.claimed.job_id in settled for fact in outcome.facts]
            await add_to_outbox(connection, facts)
        return earliest(rows)


def progress_of(text: str | None) -> HookProgress | None:
    """The progress in its column."""
    return HookProgress(**from_json(text)) if text else None


def _claimed(row: asyncpg.Record) -> ClaimedHook:
    return ClaimedHook(**{**row, "job": CODEC.validate_json(row["job"]), "progress": progress_of(row["progress"])})
