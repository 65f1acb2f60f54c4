"""Follows several jobs at once."""

import asyncio
from collections.abc import Sequence

from piperoll.cli.console import CommandError, print_error, warn
from piperoll.cli.remote.connection import about
from piperoll.cli.remote.output import print_json
from piperoll.cli.remote.results import end_sentence
from piperoll.cli.remote.states import JobStates
from piperoll.cli.remote.table import FileTable, file_table
from piperoll.client import AsyncClient


async def watch_all(client: AsyncClient, job_ids: Sequence[str], as_json: bool) -> int:
    """Show jobs until all have ended; return 0 if all of them completed."""
    try:
        with file_table(len(job_ids), bars=not as_json) as table:
            async with JobStates(client, table.changed) as states:
                ends = await asyncio.gather(*(_one(states, table, job_id, as_json) for job_id in job_ids))
    except asyncio.CancelledError:
        warn("stopped watching; the jobs go on: repeat the command to see them again")
        raise
    return 0 if all(ends) else 1


async def _one(states: JobStates, table: FileTable, job_id: str, as_json: bool) -> bool:
    table.created(job_id, job_id)
    try:
        with about(job_id):
            job = await states.ended(job_id)
    except CommandError as error:
        print_error(str(error))
        return False
    if as_json:
        print_json(job)
    else:
        table.ended(job_id, end_sentence(job))
    return job.completed
