"""Turns an upload into a document: stores its content, appends the facts, and creates the job that reads it."""

import asyncio
import hashlib
from dataclasses import dataclass, replace

from starlette.datastructures import UploadFile

from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.ids import draw_document_id, keyed_id
from schemas.media import media_type_of
from services.api.documents.commands import DocumentCommands
from services.api.documents.jobs import reading_of
from services.api.http.bodies import canonical_sha256
from services.api.http.caller import Caller
from services.api.http.errors import ApiError
from services.api.http.forms import check_size
from services.api.http.references import upload_name
from services.api.jobs.creation import Created, Creator
from services.api.jobs.requests import Rules, submitted


@dataclass(frozen=True, slots=True)
class AddedDocument:
    """A document that was added; `job` reads it."""

    document_id: str
    job: Created


@dataclass(frozen=True, slots=True)
class DocumentIntake:
    """Turns uploads into documents. Needs Kafka and blobs only."""

    blobs: AsyncBlobs
    commands: DocumentCommands
    creator: Creator
    rules: Rules
    max_bytes: int

    async def add(
        self,
        upload: UploadFile,
        folder_id: str | None,
        caller: Caller,
        user_id: str | None,
        key: str | None,
        include_images: bool = False,
    ) -> AddedDocument:
        """Add the document first, then the job: a reader that sees the job finds the document.

        With `include_images` the job also draws the pages, if its type can. With an Idempotency-Key, a repeat of the
        same upload is the same document. Raises ApiError: INVALID_REQUEST (400), BODY_TOO_LARGE (413),
        IDEMPOTENCY_CONFLICT (422), OUTCOME_UNKNOWN (503), QUOTA_EXCEEDED (429), INSUFFICIENT_STORAGE (507).
        """
        check_size(upload, self.max_bytes)
        name, digest = upload_name(upload.filename or ""), await _digest(upload)
        asked = {"images": True} if include_images else {}  # the hash of a request without them stays as it was
        sha256 = canonical_sha256({"document": digest, "name": name, "folder": folder_id, **asked})
        document_id = draw_document_id() if key is None else keyed_id("doc", caller.owner, f"{key}/{sha256}")
        media_type = media_type_of(name, upload.content_type)
        await self.creator.admit_with_file(caller, upload.size or 0, key)
        path = f"{documents.folder_of(document_id)}/{digest}"
        content = await self.blobs.put_file(path, upload.file, media_type)
        added = await self.commands.add(document_id, name, content, caller, user_id)
        if added and folder_id is not None:
            await self.commands.change_members(folder_id, caller, added=[document_id])
        job_type, parameters = reading_of(content.media_type, document_id, include_images)
        job = submitted(job_type, parameters, self.rules, user_id, sha256)
        document = ResolvedDocument(document_id=document_id, name=name, content=content)
        try:
            created = await self.creator.job(replace(job, resolved=document), caller, key, admitted=True)
        except ApiError as error:
            if error.code is ErrorCode.IDEMPOTENCY_CONFLICT:  # the key belongs to another document
                await self.commands.remove(document_id, caller)
                await self.commands.delete_content(document_id)
            raise
        return AddedDocument(document_id, created)


async def _digest(upload: UploadFile) -> str:
    """Return the content's SHA-256, its name in the blob store."""
    digest = await asyncio.to_thread(hashlib.file_digest, upload.file, "sha256")  # type: ignore[arg-type]
    await upload.seek(0)
    return digest.hexdigest()
