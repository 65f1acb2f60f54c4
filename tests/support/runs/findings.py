"""A log that fails and the outcome of a run that found documents."""

from dataclasses import replace

from piperoll.clock import utc_now
from piperoll.domain.job import Job
from piperoll.log.record import Position
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.documents import Findings, FoundDocument
from schemas.envelope import Fact
from schemas.topics import Topic
from services.worker.children.protocol import Completed, Outcome
from services.worker.manager.found_documents import FindingsAppender
from tests.support.histories.jobs import claim, created
from tests.support.histories.lives import folded
from tests.support.memory_log import MemoryLog

JOB = replace(folded(created()), job_id="job-1", owner="acme", user_id="u-1", priority=7)


class CrashedError(Exception):
    """The worker is gone."""


class FaultyLog(MemoryLog):
    """A log that crashes the worker after so many facts."""

    left: int | None = None

    async def append(self, topic: Topic, fact: Fact, deadline_s: float | None = None) -> Position:
        if self.left == 0:
            raise CrashedError
        if self.left is not None:
            self.left -= 1
        return await super().append(topic, fact, deadline_s)

    async def facts(self, topic: Topic) -> list[Fact]:
        begin = await self.begin_offsets(topic)
        return [record.fact() for record in await self.read_range(topic, begin, await self.end_offsets(topic))]


async def store(blobs: AsyncBlobs, number: int, revision: str = "r1", media_type: str = "text/plain") -> FoundDocument:
    """A document whose content the run has stored."""
    document_id = f"doc-{number}"
    content = await blobs.put(documents.folder_of(document_id), b"content", media_type)
    return FoundDocument(
        document_id=document_id,
        name=f"{number}.txt",
        source=f"file:///in/{number}.txt",
        revision=revision,
        content=content,
    )


async def outcome_of(blobs: AsyncBlobs, findings: Findings) -> Completed:
    kept = await blobs.put("job-1/run-1", findings.model_dump_json().encode())
    return Completed(result=claim("result"), assets=0, duration_ms=5, findings=kept)


async def append(log: MemoryLog, blobs: AsyncBlobs, findings: Findings, job: Job = JOB) -> Outcome:
    return await FindingsAppender(log, blobs, utc_now).append(job, await outcome_of(blobs, findings))
