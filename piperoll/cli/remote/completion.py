"""What a shell completes: names of job types, methods and statuses, and the ids of the newest jobs.

A completion never fails and never waits long: without an answer it offers nothing.
"""

from contextlib import suppress

import typer

from piperoll.cli.console import CommandError
from piperoll.cli.target import api_access_of

NEWEST = 50
WAIT_S = 2.0


def statuses(incomplete: str) -> list[str]:
    """Return the statuses that begin so."""
    return _beginning(("pending", "processing", "completed", "failed"), incomplete)


def job_type_names(incomplete: str) -> list[str]:
    """Return the job types that begin so."""
    from piperoll.job_types import job_types

    return _beginning(job_types().requestable, incomplete)


def methods(incomplete: str) -> list[str]:
    """Return the extraction methods of PDFs that begin so."""
    from schemas.job_types.pdf import METHODS

    return _beginning(METHODS, incomplete)


def job_ids(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the newest jobs that begin so, each with its type and status."""
    from itertools import islice

    from piperoll.client import Client, PiperollError, RetryPolicy

    with suppress(CommandError, PiperollError, ValueError):
        given = context.params
        access = api_access_of(given.get("data_dir"), given.get("profile") or "")
        patience = RetryPolicy(retry_for_s=0, timeout_s=WAIT_S, connect_s=WAIT_S)
        with Client(access.url, access.key, retries=patience) as client:
            jobs = list(islice(client.jobs.list(page=NEWEST), NEWEST))
        return [(job.job_id, f"{job.job_type}, {job.status}") for job in jobs if job.job_id.startswith(incomplete)]
    return []


def _beginning(names: "tuple[str, ...] | list[str]", incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
