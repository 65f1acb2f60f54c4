"""Submits many sources: uploads a few at a time, creates the jobs, follows them, and writes their results."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from piperoll.cli.console import counted, entry, warn
from piperoll.cli.remote.out_folder import OutFolder
from piperoll.cli.remote.output import print_json
from piperoll.cli.remote.results import end_sentence
from piperoll.cli.remote.sources import JobSource
from piperoll.cli.remote.states import JobStates
from piperoll.cli.remote.table import FileTable, file_table
from piperoll.client import AsyncClient, JobView, PiperollError

UPLOADS = 4
"""Files that are uploaded at once."""
SHOWN_IDS = 3


@dataclass(frozen=True, slots=True)
class SubmissionOptions:
    """How sources are submitted: followed to their end or not, as a batch of a name, with results in a folder."""

    wait: bool = False
    batch: str | None = None
    out: OutFolder | None = None
    resume: bool = False
    as_json: bool = False


class BulkSubmission:
    """One call of `submit` with many sources."""

    def __init__(self, client: AsyncClient, options: SubmissionOptions) -> None:
        self._client = client
        self._options = options
        self._uploading = asyncio.Semaphore(UPLOADS)
        self._jobs: dict[str, str] = {}

    async def run(self, sources: Sequence[JobSource]) -> int:
        """Submit all of them; return 1 if one failed. An interruption is explained, and raised again."""
        try:
            with file_table(len(sources), bars=not self._options.as_json) as table:
                failed = await self._run(sources, table)
        except asyncio.CancelledError:
            warn(self._advice(len(sources)))
            raise
        if not self._options.as_json:
            done = counted(len(sources) - failed, "file")
            what = "completed" if self._options.wait else "submitted"
            entry("all", f"{done} {what}{f', {failed:,} failed' if failed else ''}")
        return 1 if failed else 0

    async def _run(self, sources: Sequence[JobSource], table: FileTable) -> int:
        targets = [await asyncio.to_thread(source.target) for source in sources]
        async with JobStates(self._client, table.changed) as states:
            if self._options.batch is not None:
                await self._create_batch(sources, targets, table)
            pairs = zip(sources, targets, strict=True)
            ends = await asyncio.gather(*(self._one(source, target, states, table) for source, target in pairs))
        return ends.count(False)

    async def _one(self, source: JobSource, target: str, states: JobStates, table: FileTable) -> bool:
        """Submit one source; return whether it went well."""
        try:
            job_id = self._jobs.get(target) or await self._create(source, target, table)
            self._jobs[target] = job_id
            table.created(source.name, job_id)
            job = await (states.ended(job_id) if self._options.wait else self._client.jobs.get(job_id))
            if job.completed and self._options.out is not None:
                await asyncio.to_thread(self._options.out.write, source, job)
        except (PiperollError, OSError) as error:
            self._report_failure(source, error, table)
            return False
        self._report(source, job, table)
        return job.completed or not self._options.wait

    async def _create(self, source: JobSource, target: str, table: FileTable) -> str:
        async with self._uploading:
            if self._options.resume and (earlier := await self._earlier(target)):
                return earlier
            parameters = await self._uploaded(source, table)
            job = await self._client.jobs.create(source.job_type, {**parameters, "target_id": target})
            return job.job_id

    async def _create_batch(self, sources: Sequence[JobSource], targets: Sequence[str], table: FileTable) -> None:
        """Upload what has no job yet, then create all these jobs at once. Raises PiperollError, OSError."""
        if self._options.resume:
            for target in targets:
                if earlier := await self._earlier(target):
                    self._jobs[target] = earlier
        missing = {target: source for source, target in zip(sources, targets, strict=True) if target not in self._jobs}
        if not missing:
            return

        async def member(source: JobSource, target: str) -> dict[str, Any]:
            async with self._uploading:
                parameters = await self._uploaded(source, table)
            return {"job_type": source.job_type, "parameters": {**parameters, "target_id": target}}

        members = await asyncio.gather(*(member(source, target) for target, source in missing.items()))
        batch = await self._client.batches.create(members, name=self._options.batch, idempotency_key=str(uuid4()))
        self._jobs |= dict(zip(missing, batch.job_ids, strict=True))
        if not self._options.as_json:
            entry("batch", batch.batch_id)

    async def _uploaded(self, source: JobSource, table: FileTable) -> dict[str, Any]:
        if source.path is None:
            return dict(source.parameters)
        shown = source.name
        file = await self._client.upload(source.path, sent=lambda done, total: table.uploading(shown, done, total))
        return {**source.parameters, "filename": file.filename}

    async def _earlier(self, target: str) -> str | None:
        """Return the newest job that an earlier call made of the same content and parameters, if it did not fail."""
        async for job in self._client.jobs.list(target_id=target, page=10):
            if job.status != "failed":
                return job.job_id
        return None

    def _report(self, source: JobSource, job: JobView, table: FileTable) -> None:
        if self._options.as_json:
            print_json(job)
        elif not self._options.wait:
            table.ended(source.name, job.job_id)
        else:
            table.ended(source.name, f"{job.job_id}  {end_sentence(job)}")

    def _report_failure(self, source: JobSource, error: Exception, table: FileTable) -> None:
        from piperoll.cli.remote.connection import sentence_of

        sentence = sentence_of(error) if isinstance(error, PiperollError) else str(error)
        if self._options.as_json:
            warn(f"{source.name}: {sentence}")
        else:
            table.ended(source.name, sentence)

    def _advice(self, count: int) -> str:
        made = list(self._jobs.values())
        follow = f"`piperoll watch {' '.join(made)}`" if len(made) <= SHOWN_IDS else "`piperoll jobs`"
        going_on = f"the {counted(len(made), 'job')} created go on: {follow} shows them; " if made else ""
        return f"stopped; {going_on}repeat the command with --resume to submit the rest of {counted(count, 'file')}"
