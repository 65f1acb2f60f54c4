"""Queries about the whole installation (system.sql). Every method is bounded in time and raises
ReadModelUnavailableError."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from piperoll.postgres import load_queries
from services.api.http.database import bounded_query
from services.api.read_model.positions import SESSION

QUERIES = load_queries("services.api.system", "system.sql")
MOST_RECEIVERS = 100


@dataclass(frozen=True, slots=True)
class QueueRow:
    """The open jobs of an owner and type. `oldest_id` is of the oldest job that waits for nothing but a slot."""

    owner: str
    job_type: str
    pending: int
    processing: int
    workers: tuple[str, ...]
    oldest_id: str | None
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndsRow:
    """The jobs that ended within `seconds` from `at` on; `bins` are of piperoll.domain.durations."""

    seconds: int
    at: datetime
    completed: int
    failed: int
    cancelled: int
    bins: Sequence[int]


@dataclass(frozen=True, slots=True)
class ReceiverRow:
    """A receiver at which webhooks wait after failures. `reason` and `status` are of the last one of `job_id`."""

    owner: str
    origin: str | None
    kind: str
    waiting: int
    attempts: int
    next_attempt_at: datetime
    job_id: str
    reason: str | None
    status: int | None


class SystemTables:
    """The tables as a whole. The pool may connect late and lose its connections."""

    def __init__(self, pool: asyncpg.Pool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def queue(self) -> list[QueueRow]:
        """Return the owners and types that have open jobs, those with the most waiting ones first."""
        return [
            QueueRow(
                owner=row["owner"],
                job_type=row["job_type"],
                pending=row["pending"],
                processing=row["processing"],
                workers=tuple(name for name in row["workers"] if name is not None),
                oldest_id=row["job_id"],
                oldest_at=row["created_at"],
            )
            for row in await self._fetch("queue")
        ]

    async def ends(self, minutes_from: datetime, hours_from: datetime) -> list[EndsRow]:
        """Return the minutes and hours in which jobs ended, in any order."""
        return [EndsRow(**row) for row in await self._fetch("ends", minutes_from, hours_from)]

    async def receivers(self) -> list[ReceiverRow]:
        """Return the failing receivers of all owners, at most MOST_RECEIVERS, those with the most waiting first."""
        rows = await self._fetch("receivers", MOST_RECEIVERS)
        failures = {row["job_id"]: row for row in await self._fetch("failures", [row["job_id"] for row in rows])}
        return [ReceiverRow(**row, **_failure(failures.get(row["job_id"]))) for row in rows]

    async def api_instances(self) -> list[str]:
        """Return the names of the API processes that are connected."""
        return sorted(row["application_name"].removeprefix(SESSION) for row in await self._fetch("sessions", SESSION))

    async def _fetch(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        async with bounded_query(name, self._deadline_s):
            return list(await self._pool.fetch(QUERIES[name], *arguments))


def _failure(row: asyncpg.Record | None) -> dict[str, Any]:
    return {"reason": None, "status": None} if row is None else {"reason": row["reason"], "status": row["status"]}
