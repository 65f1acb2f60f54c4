"""Turns what clients want into facts: content to the blob store first, then one record to the log."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from piperoll.domain.creation import job_created, terms_of
from piperoll.log.record import Position
from piperoll.seal import Seal
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs
from schemas.claims import Claim
from schemas.documents import Resolved, parameters_document
from schemas.events import BatchCreated, BatchErased, Event, JobCancelled, JobErased
from schemas.ids import draw_run
from services.api.http.caller import Caller
from services.api.jobs.named_documents import Resolver
from services.api.jobs.requests import BatchSubmission, Submission
from services.api.log.facts import FactLog

ERASED_AT_ONCE = 200  # appends under way together: they share the producer's batches, and memory stays bounded


class Commands:
    """Appends what was decided. Every method raises UnavailableError OUTCOME_UNKNOWN when Kafka does not answer."""

    def __init__(self, facts: FactLog, blobs: AsyncBlobs, seal: Seal, resolver: Resolver) -> None:
        self._facts = facts
        self._blobs = blobs
        self._seal = seal
        self._resolver = resolver

    async def create_job(
        self, job_id: str, job: Submission, caller: Caller, repeatable: bool
    ) -> tuple[datetime, Position]:
        """When the job was created, and where that stands. `repeatable`: another request may create the same id.

        Raises ApiError INVALID_PARAMETERS (400) and READ_MODEL_UNAVAILABLE (503) for jobs that name documents.
        """
        resolved = job.resolved or await self._resolver.resolve(job.job_type, job.parameters, caller.owner)
        document = parameters_document(job.job_type, self._sealed(job.given), resolved)
        # Whoever removes a document knows the ids of its jobs, and not where else something of theirs lies.
        claim = await self._put(job_id, document, repeatable or resolved is not None)
        if uses := uploads.uses_by(caller.owner, job_id, job.given):
            await asyncio.gather(*map(self._blobs.mark, uses))
        event = job_created(_terms(job), claim, retry_of=job.retry_of)
        return await self._append(job_id, job_id, event, caller, "job_id")

    async def create_batch(self, batch_id: str, batch: BatchSubmission, caller: Caller) -> tuple[datetime, Position]:
        """When the batch was created, and where that stands: one record, so all of it or nothing.

        Raises as `create_job` does; the details of what is wrong with a member have its `index`.
        """
        resolved = await self._resolver.resolve_all(batch.jobs, caller.owner)
        members = [self._spec(job, named) for job, named in zip(batch.jobs, resolved, strict=True)]
        specs = await self._blobs.put(f"{batch_id}/specs", to_json(members))
        name = await self._put(batch_id, batch.name, repeatable=True) if batch.name else None
        event = BatchCreated(
            count=len(batch.jobs), specs=specs, body_sha256=batch.body_sha256, name=name, user_id=batch.user_id
        )
        return await self._append(batch_id, batch_id, event, caller, "batch_id")

    async def cancel_job(self, job_id: str, reason: str | None, caller: Caller) -> Position:
        """Where the wish stands; whether it won, the fold decides."""
        event = JobCancelled(by=caller.owner, reason=reason)
        _, position = await self._append(job_id, draw_run(), event, caller, "job_id")
        return position

    async def erase_job(self, job_id: str, parameters: Claim | None, caller: Caller) -> Position:
        """Where the erasure stands; a repeat is the same fact. `parameters` are the job's, as far as they are known."""
        event = JobErased(by=caller.owner, parameters=parameters)
        _, position = await self._append(job_id, job_id, event, caller, "job_id")
        return position

    async def erase_batch(self, batch_id: str, job_ids: Sequence[str], caller: Caller) -> list[Position]:
        """Where the erasures of the members stand, and of the batch: it comes last, so that a repeat finds the rest."""
        positions: list[Position] = []
        for begin in range(0, len(job_ids), ERASED_AT_ONCE):
            some = job_ids[begin : begin + ERASED_AT_ONCE]
            # A member's parameters lie under its own name: nobody need be told where.
            positions += await asyncio.gather(*(self.erase_job(job_id, None, caller) for job_id in some))
        _, last = await self._append(batch_id, batch_id, BatchErased(by=caller.owner), caller, "batch_id")
        return [*positions, last]

    def opened(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Stored parameters as they were sent. Raises SealError for a token sealed with a key that is gone."""
        webhook = parameters.get("webhook")
        if not webhook or not isinstance(webhook.get("token"), dict):
            return parameters
        return {**parameters, "webhook": {**webhook, "token": self._seal.open(webhook["token"]["sealed"])}}

    async def _append(
        self, subject: str, scope: str, event: Event, caller: Caller, named: str
    ) -> tuple[datetime, Position]:
        """When one fact was appended, and where it stands; see `FactLog.append`."""
        remedy = f"repeat the request with the same Idempotency-Key, or look the {named} up"
        fact, position = await self._facts.append(subject, scope, event, caller, remedy, named)
        return fact.time, position

    async def _put(self, subject: str, document: Any, repeatable: bool) -> Claim:
        return await self._blobs.put_input(subject, to_json(document), repeatable)

    def _spec(self, job: Submission, resolved: Resolved | None) -> dict[str, Any]:
        """What the process manager needs to create a member: its parameters document, and its terms."""
        return {**parameters_document(job.job_type, self._sealed(job.given), resolved), **_terms(job)}

    def _sealed(self, given: dict[str, Any]) -> dict[str, Any]:
        """Parameters as they are stored: nobody but the notifier reads the token."""
        webhook = given.get("webhook")
        if not webhook or webhook.get("token") is None:
            return given
        return {**given, "webhook": {**webhook, "token": {"sealed": self._seal.seal(webhook["token"])}}}


def _terms(job: Submission) -> dict[str, Any]:
    return terms_of(job.job_type, job.parameters, job.body_sha256, job.user_id)
