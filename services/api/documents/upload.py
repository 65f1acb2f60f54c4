"""Turns an upload into a document: its content to the blob store, the document's facts, and the job that reads it."""

import asyncio
import hashlib
from dataclasses import dataclass, replace

from starlette.datastructures import UploadFile

from piperoll.job_types import job_types
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.claims import Claim
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.ids import draw_document_id, keyed_id
from schemas.media import media_type_of
from services.api.documents.commands import DocumentCommands
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import Caller
from services.api.http.errors import ApiError, body_too_large, invalid_request
from services.api.http.references import upload_name
from services.api.jobs.creation import Created, Creator
from services.api.jobs.requests import Rules, submitted


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that was taken in; `job` is the one that reads it."""

    document_id: str
    job: Created


class DocumentIntake:
    """Turns uploads into documents. Needs Kafka and blobs only."""

    def __init__(
        self, blobs: AsyncBlobs, commands: DocumentCommands, creator: Creator, rules: Rules, max_bytes: int
    ) -> None:
        self._blobs = blobs
        self._commands = commands
        self._creator = creator
        self._rules = rules
        self._max_bytes = max_bytes

    async def take_in(
        self, upload: UploadFile, folder_id: str | None, caller: Caller, user_id: str | None, key: str | None
    ) -> Taken:
        """The document first, then the job: a reader that sees the job finds the document.

        With an Idempotency-Key, a repeat of the same upload is the same document. Raises ApiError:
        INVALID_REQUEST (400), BODY_TOO_LARGE (413), IDEMPOTENCY_CONFLICT (422), OUTCOME_UNKNOWN (503).
        """
        if not upload.size:
            raise invalid_request("the file is empty")
        if upload.size > self._max_bytes:
            raise body_too_large(self._max_bytes)
        name, digest = upload_name(upload.filename or ""), await _digest(upload)
        sha256 = canonical_sha256({"document": digest, "name": name, "folder": folder_id})
        document_id = draw_document_id() if key is None else keyed_id("doc", caller.owner, f"{key}/{sha256}")
        content = await self._store(document_id, upload, name, digest)
        await self._commands.add(document_id, name, content, caller, user_id)
        if folder_id is not None:
            await self._commands.change_members(folder_id, caller, added=[document_id])
        try:
            job = await self._begin_reading(document_id, name, content, caller, user_id, sha256, key)
        except ApiError as error:
            if error.code is ErrorCode.IDEMPOTENCY_CONFLICT:  # so this document is not the one of the key
                await self._commands.remove(document_id, caller)
                await self._commands.delete_content(document_id)
            raise
        return Taken(document_id, job)

    async def _store(self, document_id: str, upload: UploadFile, name: str, digest: str) -> Claim:
        media_type = media_type_of(name, upload.content_type)
        return await self._blobs.put_file(f"{documents.folder_of(document_id)}/{digest}", upload.file, media_type)

    async def _begin_reading(
        self,
        document_id: str,
        name: str,
        content: Claim,
        caller: Caller,
        user_id: str | None,
        sha256: str,
        key: str | None,
    ) -> Created:
        """Creates the job that reads the document."""
        job_type = job_types().reader_of(content.media_type).name
        resolved = ResolvedDocument(document_id=document_id, name=name, content=content)
        job = submitted(job_type, {"document_id": document_id}, self._rules, user_id, sha256)
        return await self._creator.job(replace(job, resolved=resolved), caller, key)


async def _digest(upload: UploadFile) -> str:
    """The content's SHA-256, by which it is named in the store."""
    digest = await asyncio.to_thread(hashlib.file_digest, upload.file, "sha256")  # type: ignore[arg-type]
    await upload.seek(0)
    return digest.hexdigest()
