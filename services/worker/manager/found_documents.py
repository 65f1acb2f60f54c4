"""The process manager of findings: appends the facts of a sync or import run before its JobCompleted.

The ids of the facts depend on the findings, not on the run, so a run that is repeated after a crash writes the same
facts, which the folds drop.
"""

import asyncio

import structlog
from pydantic_core import to_json

from piperoll.clock import Clock
from piperoll.domain.creation import job_created, terms_of
from piperoll.domain.job import Job
from piperoll.domain.work import digest, shaping
from piperoll.job_types import job_types
from piperoll.log.contract import Appender
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError
from schemas.claims import Claim
from schemas.documents import (
    DocumentDetails,
    Findings,
    FoundDocument,
    LostDocument,
    ResolvedDocument,
    parameters_document,
)
from schemas.errors import SENTENCES, ErrorCode
from schemas.events import DocumentAdded, DocumentRemoved, Event, FolderMembersChanged, JobErased
from schemas.ids import intake_job_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS, Topic
from services.worker.children.protocol import TYPE_CHARS, Completed, Failed, Outcome
from services.worker.manager.chunks import in_chunks, sliced
from services.worker.manager.facts import worker_fact

log = structlog.get_logger()

MEMBERS = 1000  # of a folder in one fact, which must be much smaller than the largest record


class FindingsAppender:
    """Appends the facts of findings."""

    def __init__(self, appender: Appender, blobs: AsyncBlobs, clock: Clock) -> None:
        self._appender = appender
        self._blobs = blobs
        self._clock = clock

    async def append(self, job: Job, outcome: Outcome) -> Outcome:
        """Append the facts of a run's findings; return the run's outcome once all are acknowledged. Raises AppendError.

        If the blob store fails, the outcome is a retryable failure: no fact is lost, since another run finds the same.
        Findings of which no facts can be made are a failure of their job.
        """
        if not isinstance(outcome, Completed) or outcome.findings is None:
            return outcome
        try:
            await self._append_all(job, await self._read(outcome.findings))
        except (BlobStoreError, BlobMissingError) as error:
            log.warning("findings_not_stored", job_id=job.job_id, error=str(error))
            return _not_stored(outcome, own_fault=isinstance(error, BlobStoreError))
        except (ValueError, TypeError, LookupError) as error:
            log.exception("findings_unusable", job_id=job.job_id)
            return _unusable(outcome, error)
        return outcome

    async def _read(self, claim: Claim) -> Findings:
        raw = await self._blobs.get(claim.uri)
        return await asyncio.to_thread(Findings.model_validate_json, raw)  # there may be many thousands

    async def _append_all(self, job: Job, findings: Findings) -> None:
        await in_chunks(findings.found, lambda found: self._add(job, found))
        await self._put_into_folder(job, findings)
        await in_chunks(findings.lost, lambda lost: self._remove(job, lost))
        log.info("findings_appended", job_id=job.job_id, found=len(findings.found), lost=len(findings.lost))

    # --- found -----------------------------------------------------------------------------------------------------

    async def _add(self, job: Job, found: FoundDocument) -> None:
        """The document first, then the job that reads it: a reader that knows the job knows the document.

        Nothing is added to a document that was removed since the run found it.
        """
        details = DocumentDetails(name=found.name, source=found.source)
        claim = await self._blobs.put(documents.details_of(found.document_id), to_json(details))
        if await documents.discarded(self._blobs, found.document_id):
            return
        event = DocumentAdded(
            content=found.content,
            details=claim,
            revision=found.revision,
            user_id=job.user_id,
            job_id=job.job_id,
        )
        scope = f"{found.document_id}/{found.revision}"
        await self._append(DOCUMENT_EVENTS, found.document_id, scope, job.owner, event)
        await self._create_intake(job, found)

    async def _create_intake(self, job: Job, found: FoundDocument) -> None:
        job_id = intake_job_id(found.document_id, found.revision)
        reader = job_types().reader_of(found.content.media_type)
        given = {"document_id": found.document_id}
        parameters = reader.parameters.model_validate(given)
        resolved = ResolvedDocument(document_id=found.document_id, name=found.name, content=found.content)
        body = parameters_document(reader.name, given, resolved)
        claim = await self._blobs.put(f"{job_id}/in", to_json(body))
        removed = await documents.note_job(self._blobs, found.document_id, job_id)
        asked = digest({"document_id": found.document_id, "revision": found.revision})
        terms = {
            **terms_of(reader.name, parameters, asked, job.user_id),
            "priority": job.priority,
            "work_sha256": _work_of(reader.name, shaping(parameters), found.content),
        }
        await self._append(JOB_EVENTS, job_id, job_id, job.owner, job_created(terms, claim))
        if removed:
            await self._erase(job, job_id)

    async def _put_into_folder(self, job: Job, findings: Findings) -> None:
        if findings.folder_id is None:
            return
        for members in sliced([found.document_id for found in findings.found], MEMBERS):
            event = FolderMembersChanged(added=tuple(members), job_id=job.job_id)
            scope = f"{findings.folder_id}/{job.job_id}/{digest({'added': members})}"
            await self._append(DOCUMENT_EVENTS, findings.folder_id, scope, job.owner, event)

    # --- lost ------------------------------------------------------------------------------------------------------

    async def _remove(self, job: Job, lost: LostDocument) -> None:
        """The facts first: readers of a document without content must know that it was removed."""
        removed = DocumentRemoved(by=job.owner, reason="SOURCE_GONE")
        await self._append(DOCUMENT_EVENTS, lost.document_id, lost.document_id, job.owner, removed)
        for job_id in lost.jobs:
            await self._erase(job, job_id, lost.parameters.get(job_id))
        await documents.delete_content(self._blobs, lost.document_id)

    async def _erase(self, job: Job, job_id: str, parameters: Claim | None = None) -> None:
        erased = JobErased(by=job.owner, reason="DOCUMENT_REMOVED", parameters=parameters)
        await self._append(JOB_EVENTS, job_id, job_id, job.owner, erased)

    async def _append(self, topic: Topic, subject: str, scope: str, owner: str, data: Event) -> None:
        await self._appender.append(topic, worker_fact(subject, owner, data, scope, self._clock()))


def _work_of(job_type: str, shaping_parameters: dict[str, object], content: Claim) -> str:
    """The fingerprint by which equal files wait for each other, so that only one is read."""
    named = {name: value for name, value in shaping_parameters.items() if name != "document_id"}
    return digest({"job_type": job_type, "parameters": named, "content": content.sha256})


def _unusable(outcome: Completed, error: Exception) -> Failed:
    return Failed(
        code=ErrorCode.PROCESSING_ERROR,
        message=SENTENCES[ErrorCode.PROCESSING_ERROR],
        error_type=type(error).__name__[:TYPE_CHARS],
        retryable=False,
        duration_ms=outcome.duration_ms,
    )


def _not_stored(outcome: Completed, own_fault: bool) -> Failed:
    return Failed(
        code=ErrorCode.STORAGE_ERROR,
        message=SENTENCES[ErrorCode.STORAGE_ERROR],
        error_type="BlobStoreError",
        retryable=True,
        own_fault=own_fault,
        duration_ms=outcome.duration_ms,
    )
