"""Rows of the queue as the job reader reads and writes them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

import asyncpg
from pydantic_core import to_json

from piperoll.domain.job import CODEC
from services.notifier.hooks.fold import Tracked
from services.notifier.hooks.queue import SQL, progress_of
from services.notifier.hooks.webhook import JobWebhook
from services.notifier.outbox import Connection


async def load_jobs(connection: Connection, job_ids: Collection[str]) -> dict[str, Tracked]:
    """The tracked jobs among these, locked until the transaction ends."""
    rows = await connection.fetch(SQL["load_jobs"], list(job_ids))
    return {row["job_id"]: _tracked(row) for row in rows}


async def save_jobs(connection: Connection, partition: int, jobs: Mapping[str, Tracked]) -> None:
    """Write the state of each job in the log."""
    columns = [_columns(job_id, tracked) for job_id, tracked in sorted(jobs.items())]
    if columns:
        await connection.execute(SQL["save_jobs"], partition, *map(list, zip(*columns, strict=True)))


def _columns(job_id: str, tracked: Tracked) -> tuple[Any, ...]:
    """The values in the order of the statement."""
    job, webhook, progress = tracked.job, tracked.webhook, tracked.progress
    return (
        job_id,
        job.owner if job else "",
        webhook.origin if webhook else None,
        webhook.url if webhook else None,
        webhook.token if webhook else None,
        webhook.client_id if webhook else None,
        CODEC.dump_json(job, exclude_defaults=True).decode() if job else None,
        to_json(asdict(progress)).decode() if progress else None,
        progress.number if progress else None,
        tracked.final_phase,
        tracked.final_at,
        job.erased if job else False,
        tracked.state,
        tracked.due,
    )


def _tracked(row: asyncpg.Record) -> Tracked:
    webhook = None
    if row["url"] is not None:
        webhook = JobWebhook(row["origin"], row["url"], row["token"], row["client_id"])
    return Tracked(
        job=CODEC.validate_json(row["job"]) if row["job"] else None,
        webhook=webhook,
        progress=progress_of(row["progress"]),
        final_phase=row["final_phase"],
        final_at=row["final_at"],
        state=row["state"],
    )
