"""Turns requests about jobs into facts: content to the blob store first, then one record to the log."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from piperoll.domain.creation import job_created, terms_of
from piperoll.log.record import Position
from piperoll.seal import Seal
from piperoll.store import document_paths as documents
from piperoll.store import targets, uploads
from piperoll.store.blobs import AsyncBlobs
from schemas.claims import Claim
from schemas.documents import Resolved, parameters_document
from schemas.events import BatchCreated, BatchErased, Event, JobCancelled, JobErased
from schemas.ids import draw_run
from services.api.http.caller import Caller
from services.api.http.errors import invalid_field
from services.api.jobs.named_documents import Resolver
from services.api.jobs.requests import BatchSubmission, Submission
from services.api.log.facts import Appended, FactLog

AT_ONCE = 200  # concurrent appends or markers of a request: memory stays bounded, and others get their turn


class Commands:
    """Appends facts of jobs and batches. Every method raises UnavailableError OUTCOME_UNKNOWN."""

    def __init__(self, facts: FactLog, blobs: AsyncBlobs, seal: Seal, resolver: Resolver) -> None:
        self._facts = facts
        self._blobs = blobs
        self._seal = seal
        self._resolver = resolver

    async def create_job(
        self, job_id: str, job: Submission, caller: Caller, repeatable: bool, unchecked: bool = False
    ) -> Appended:
        """Create a job. `repeatable`: another request may create the same id. `unchecked`: one may have, long ago.

        Raises ApiError INVALID_PARAMETERS (400) and READ_MODEL_UNAVAILABLE (503) for jobs that name documents: 400 also
        if the document was removed since it was resolved.
        """
        resolved = job.resolved or await self._resolver.resolve(job.job_type, job.parameters, caller.owner)
        body = parameters_document(job.job_type, self._sealed(job.sent), resolved)
        # The removal of a document finds the content of its jobs by their ids only.
        target = targets.target_of(body)
        claim = await self._put(job_id, body, repeatable or resolved is not None or target is not None)
        await self._mark(uploads.uses_by(caller.owner, job_id, job.sent))
        if about := documents.subject_of(body):
            await self._note(about, job_id)
        if target is not None:
            await self._note_target(target, job_id, caller.owner, repeatable)
        event = job_created(_terms(job), claim, retry_of=job.retry_of, unchecked=unchecked)
        return await self._append(job_id, job_id, event, caller, "job_id")

    async def create_batch(
        self, batch_id: str, batch: BatchSubmission, caller: Caller, unchecked: bool = False
    ) -> Appended:
        """Create a batch with one record, so all of it or nothing. `unchecked`: the id may have been used long ago.

        Raises as `create_job` does; the details of an error in a member have its `index`.
        """
        resolved = await self._resolver.resolve_all(batch.jobs, caller.owner)
        members = [self._spec(job, named) for job, named in zip(batch.jobs, resolved, strict=True)]
        await self._note_targets(members)
        specs = await self._blobs.put(f"{batch_id}/specs", to_json(members))
        await self._mark(uploads.uses_by(caller.owner, batch_id, *(job.sent for job in batch.jobs)))
        name = await self._put(batch_id, batch.name, repeatable=True) if batch.name else None
        event = BatchCreated(
            count=len(batch.jobs),
            specs=specs,
            body_sha256=batch.body_sha256,
            name=name,
            user_id=batch.user_id,
            unchecked=unchecked,
        )
        return await self._append(batch_id, batch_id, event, caller, "batch_id")

    async def cancel_job(self, job_id: str, reason: str | None, caller: Caller) -> Position:
        """Request a cancellation; the fold decides whether it comes in time."""
        event = JobCancelled(by=caller.owner, reason=reason)
        return (await self._append(job_id, draw_run(), event, caller, "job_id")).position

    async def erase_job(self, job_id: str, parameters: Claim | None, caller: Caller) -> Position:
        """Erase a job; a repeat is the same fact. `parameters` are the job's, as far as they are known."""
        event = JobErased(by=caller.owner, parameters=parameters)
        return (await self._append(job_id, job_id, event, caller, "job_id")).position

    async def erase_about(self, target: str, jobs: Mapping[str, Claim | None], caller: Caller) -> list[Position]:
        """Erase jobs, with their parameters, about a document or folder that was removed.

        Their markers are deleted with them, so that the process manager of removal has the rest to erase only.
        """
        positions: list[Position] = []
        ids = list(jobs)
        for begin in range(0, len(ids), AT_ONCE):
            some = ids[begin : begin + AT_ONCE]
            positions += await asyncio.gather(*(self.erase_job(job_id, jobs[job_id], caller) for job_id in some))
            about = [documents.job_mark(target, job_id) for job_id in some]
            await self._blobs.delete([*about, *(targets.mark_of(caller.owner, target, job_id) for job_id in some)])
        return positions

    async def erase_batch(self, batch_id: str, job_ids: Sequence[str], caller: Caller) -> list[Position]:
        """Erase the members of a batch, and last the batch itself, so that a repeat finds the rest."""
        positions: list[Position] = []
        for begin in range(0, len(job_ids), AT_ONCE):
            some = job_ids[begin : begin + AT_ONCE]
            # No claim is needed: a member's parameters are stored under its own id.
            positions += await asyncio.gather(*(self.erase_job(job_id, None, caller) for job_id in some))
        last = await self._append(batch_id, batch_id, BatchErased(by=caller.owner), caller, "batch_id")
        return [*positions, last.position]

    def opened(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return stored parameters as they were sent. Raises SealError if the key that sealed the token is missing."""
        webhook = parameters.get("webhook")
        if not webhook or not isinstance(webhook.get("token"), dict):
            return parameters
        return {**parameters, "webhook": {**webhook, "token": self._seal.open(webhook["token"]["sealed"])}}

    async def _append(self, subject: str, scope: str, event: Event, caller: Caller, named: str) -> Appended:
        remedy = f"repeat the request with the same Idempotency-Key, or look up the {named}"
        return await self._facts.append(subject, scope, event, caller, remedy, named)

    async def _put(self, subject: str, content: Any, repeatable: bool) -> Claim:
        return await self._blobs.put_input(subject, to_json(content), repeatable)

    async def _mark(self, uses: Sequence[str]) -> None:
        """Write the markers of uploads, which must be there before the record that uses them."""
        for begin in range(0, len(uses), AT_ONCE):
            await asyncio.gather(*map(self._blobs.mark, uses[begin : begin + AT_ONCE]))

    async def _note(self, about: str, job_id: str) -> None:
        if await documents.note_job(self._blobs, about, job_id):
            await documents.delete_outputs(self._blobs, job_id)
            what = "folder" if documents.is_folder(about) else "document"
            raise invalid_field(f"{what}_id", f"{what} not found")

    async def _note_target(self, target: str, job_id: str, owner: str, repeatable: bool) -> None:
        """Note a job for the removal of its target, unless that was removed before.

        The marker of a repeatable job is not deleted: the removal may have to find it for the other request.
        """
        if repeatable:
            if not await documents.was_removed(self._blobs, target):
                await self._blobs.mark(targets.mark_of(owner, target, job_id))
        elif await targets.note(self._blobs, owner, job_id, target):
            await self._blobs.delete([targets.mark_of(owner, target, job_id)])

    async def _note_targets(self, specs: Sequence[dict[str, Any]]) -> None:
        """Note in the specifications of members which targets exist: these members are erased with them."""
        found = [targets.target_of(spec) for spec in specs]
        named = list({one for one in found if one is not None})
        removed: set[str] = set()
        for begin in range(0, len(named), AT_ONCE):
            some = named[begin : begin + AT_ONCE]
            looks = await asyncio.gather(*(documents.was_removed(self._blobs, one) for one in some))
            removed.update(one for one, gone in zip(some, looks, strict=True) if gone)
        for spec, target in zip(specs, found, strict=True):
            if target is not None and target not in removed:
                spec[targets.ERASED_WITH] = target

    def _spec(self, job: Submission, resolved: Resolved | None) -> dict[str, Any]:
        """Return the input from which the process manager creates a member: its parameters and its terms."""
        return {**parameters_document(job.job_type, self._sealed(job.sent), resolved), **_terms(job)}

    def _sealed(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return parameters as they are stored: only the notifier reads the token."""
        webhook = parameters.get("webhook")
        if not webhook or webhook.get("token") is None:
            return parameters
        return {**parameters, "webhook": {**webhook, "token": {"sealed": self._seal.seal(webhook["token"])}}}


def _terms(job: Submission) -> dict[str, Any]:
    return terms_of(job.job_type, job.parameters, job.body_sha256, job.user_id)
