"""Endpoints, followed jobs and notices in Postgres. Decides nothing, sends nothing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import asyncpg

from piperoll.domain.job import CODEC
from piperoll.postgres import load_queries
from schemas.envelope import Fact
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.delivery.leasing import Leasing, earliest, leasing_statements
from services.notifier.notices.changes import CHANGE, CHANGES, Change, ClaimedNotice, Following, RegisteredEndpoint
from services.notifier.notices.outcome import NoticeOutcome, withdrawn_facts
from services.notifier.outbox import Connection, add_to_outbox

PIECE = 500  # rows that one statement withdraws, forgets or saves: an endpoint may have millions
T = TypeVar("T")
SQL = {**load_queries("services.notifier.notices", "notices.sql"), **leasing_statements("notifier.notices")}


class NoticeQueue(Leasing):
    """The dispatcher's queue of notices. `instance` is the name under which leases are taken."""

    def __init__(self, pool: asyncpg.Pool, instance: str) -> None:
        super().__init__(pool, instance, SQL)

    async def claim(self, rooms: Mapping[ReceiverKey, int], lease_s: float) -> list[ClaimedNotice]:
        """See Leasing._lease."""
        return [_claimed(row) for row in await self._lease(rooms, lease_s) if row["change"] is not None]

    async def settle(self, outcomes: Sequence[NoticeOutcome]) -> dict[ReceiverKey, float]:
        """See HookQueue.settle."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(
                SQL["settle"],
                [outcome.claimed.job_id for outcome in outcomes],
                [outcome.claimed.endpoint_id for outcome in outcomes],
                [outcome.claimed.leased_until for outcome in outcomes],
                [outcome.claimed.change.number for outcome in outcomes],
                [outcome.attempts for outcome in outcomes],
                [outcome.delay_s for outcome in outcomes],
            )
            settled = {(row["job_id"], row["endpoint_id"]) for row in rows}
            counted = [one for one in outcomes if (one.claimed.job_id, one.claimed.endpoint_id) in settled]
            await add_to_outbox(connection, [fact for outcome in counted for fact in outcome.facts])
            for endpoint_id in sorted({outcome.claimed.endpoint_id for outcome in counted if outcome.gone}):
                await end_endpoint(connection, endpoint_id, "gone", counted[0].at)
        return earliest(rows)

    async def give_up(self, limit: int, patience_s: float, now: datetime) -> int:
        """Give up changes whose whole schedule has passed, with their facts; return the number of rows."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(SQL["give_up"], limit, patience_s, now)
            await add_to_outbox(connection, _facts(rows, "EXHAUSTED", now))
        return len(rows)

    async def withdraw_ended(self, now: datetime) -> int:
        """Give up a piece of the open changes that an ended endpoint still has; return the number of rows."""
        async with self._pool.acquire() as connection, connection.transaction():
            ended = await connection.fetch(SQL["ended_endpoint"])
            withdrawn = [await _withdraw(connection, row["endpoint_id"], row["state"], now) for row in ended]
        return sum(withdrawn)

    async def forget_unfollowed(self) -> int:
        """Remove a piece of the folds of an owner without endpoints; return the number of rows."""
        async with self._pool.acquire() as connection, connection.transaction():
            owner = await connection.fetchval(SQL["unfollowed"])
            return 0 if owner is None else await forget_followed(connection, owner)

    async def remove_old(self, limit: int, keep_s: float) -> int:
        """Remove settled rows and folds first seen so long ago; return the larger of both numbers."""
        notices = await self._pool.fetch(SQL["remove_old"], limit, keep_s)
        followed = await self._pool.fetch(SQL["remove_old_followed"], limit, keep_s)
        return max(len(notices), len(followed))


async def endpoints_of(connection: Connection, owners: Collection[str]) -> list[RegisteredEndpoint]:
    """The endpoints that receive the changes of these owners' jobs."""
    rows = await connection.fetch(SQL["endpoints_of"], list(owners))
    return [RegisteredEndpoint(**{**row, "statuses": frozenset(row["statuses"])}) for row in rows]


async def following(
    connection: Connection, owners: Collection[str], job_ids: Collection[str], oldest: datetime
) -> Following:
    """The states of these jobs if one of their owners has an endpoint, else none; one query."""
    endpoints = await endpoints_of(connection, owners)
    rows = await connection.fetch(SQL["load_followed"], list(job_ids)) if endpoints else []
    return Following(endpoints, {row["job_id"]: CODEC.validate_json(row["job"]) for row in rows}, oldest)


async def save_following(connection: Connection, found: Following) -> None:
    """Write the folds, and the changes that became due: after a registration, those of a day."""
    for jobs in _pieces(sorted(found.jobs.items())):
        await connection.execute(
            SQL["save_followed"],
            [job_id for job_id, _ in jobs],
            [job.owner for _, job in jobs],
            [job.sequence for _, job in jobs],
            [CODEC.dump_json(job, exclude_defaults=True).decode() for _, job in jobs],
        )
    for notices in _pieces(sorted(found.notices.items())):
        endpoints = [found.endpoint(endpoint_id) for (_, endpoint_id), _ in notices]
        await connection.execute(
            SQL["add_notices"],
            [job_id for (job_id, _), _ in notices],
            [endpoint.endpoint_id for endpoint in endpoints],
            [endpoint.owner for endpoint in endpoints],
            [endpoint.origin for endpoint in endpoints],
            [CHANGES.dump_json(changes).decode() for _, changes in notices],
            [changes[-1].number for _, changes in notices],
        )


async def add_endpoint(connection: Connection, endpoint: RegisteredEndpoint) -> None:
    """Add an endpoint: it receives changes from now on."""
    await connection.execute(
        SQL["add_endpoint"],
        endpoint.endpoint_id,
        endpoint.owner,
        endpoint.origin,
        endpoint.url,
        endpoint.token,
        endpoint.secret,
        sorted(endpoint.statuses),
        endpoint.since,
    )


async def end_endpoint(connection: Connection, endpoint_id: str, state: str, now: datetime) -> None:
    """End an endpoint (`gone` or `removed`); facts record that its open changes are given up.

    Only a first piece of them is: the sweep does the rest (NoticeQueue.withdraw_ended).
    """
    await connection.execute(SQL["end_endpoint"], endpoint_id, state)
    await _withdraw(connection, endpoint_id, state, now)


async def _withdraw(connection: Connection, endpoint_id: str, state: str, now: datetime) -> int:
    """Give up a piece of the open changes of an endpoint, with the facts; return the number of rows."""
    rows = await connection.fetch(SQL["withdraw"], endpoint_id, PIECE)
    await add_to_outbox(connection, _facts(rows, state.upper(), now))
    return len(rows)


async def add_trial(connection: Connection, endpoint_id: str, trial_id: str, change: Change) -> ReceiverKey | None:
    """Add a trial notice, which has no job; return the receiver, None if the endpoint has ended."""
    rows = await connection.fetch(SQL["add_trial"], endpoint_id, trial_id, CHANGE.dump_json(change).decode())
    return next((ReceiverKey(row["owner"], row["origin"]) for row in rows if row["origin"] is not None), None)


async def forget_followed(connection: Connection, owner: str) -> int:
    """Remove a piece of the folds of an owner's jobs if the owner has no endpoint left; return the number of rows.

    The sweep does the rest (NoticeQueue.forget_unfollowed).
    """
    return len(await connection.fetch(SQL["forget_followed"], owner, PIECE))


async def settle_from_log(connection: Connection, settled: Mapping[tuple[str, str], tuple[str, int]]) -> None:
    """Write settled changes from the deliveries topic: by job and endpoint, the owner and the last settled change."""
    if settled:
        keys = sorted(settled)
        await connection.execute(
            SQL["settle_notices_from_log"],
            [job_id for job_id, _ in keys],
            [endpoint_id for _, endpoint_id in keys],
            [settled[key][0] for key in keys],
            [settled[key][1] for key in keys],
        )


def _pieces(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[begin : begin + PIECE] for begin in range(0, len(items), PIECE)]


def _facts(rows: Sequence[asyncpg.Record], reason: str, now: datetime) -> list[Fact]:
    return [
        fact
        for row in rows
        for fact in withdrawn_facts(
            row["job_id"],
            row["endpoint_id"],
            row["owner"],
            CHANGES.validate_json(row["changes"]),
            row["attempts"],
            reason,
            now,
        )
    ]


def _claimed(row: asyncpg.Record) -> ClaimedNotice:
    return ClaimedNotice(**{**row, "change": CHANGE.validate_json(row["change"])})
