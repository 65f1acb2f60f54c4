"""Turns requests about documents and folders into facts: content to the blob store first, then records to the log."""

from collections.abc import Sequence

from pydantic_core import to_json

from piperoll.log.record import Position
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.claims import Claim
from schemas.documents import DocumentDetails, FolderDetails
from schemas.events import (
    DocumentAdded,
    DocumentRemoved,
    Event,
    FolderChanged,
    FolderCreated,
    FolderMembersChanged,
    FolderRemoved,
)
from schemas.ids import draw_run
from services.api.http.caller import Caller
from services.api.http.errors import not_found
from services.api.log.facts import Appended, FactLog


class DocumentCommands:
    """Appends facts to the documents topic. Every method that does raises UnavailableError OUTCOME_UNKNOWN."""

    def __init__(self, facts: FactLog, blobs: AsyncBlobs) -> None:
        self._facts = facts
        self._blobs = blobs

    async def add(self, document_id: str, name: str, content: Claim, caller: Caller, user_id: str | None) -> bool:
        """Add a document whose content is in the blob store already. A repeat is the same fact.

        Returns False, and deletes the content, if the document was removed before.
        """
        details = await self._blobs.put(documents.details_of(document_id), to_json(DocumentDetails(name=name)))
        if await documents.discarded(self._blobs, document_id):
            return False
        event = DocumentAdded(content=content, details=details, revision=content.sha256, user_id=user_id)
        await self._append(document_id, document_id, event, caller)
        return True

    async def remove(self, document_id: str, caller: Caller) -> Position:
        """Remove a document. A repeat is the same fact."""
        return (await self._append(document_id, document_id, DocumentRemoved(by=caller.owner), caller)).position

    async def delete_content(self, subject: str) -> None:
        """Delete the blobs of a removed document or folder, see `piperoll.store.document_paths`."""
        await documents.delete_content(self._blobs, subject)

    async def create_folder(
        self, folder_id: str, details: FolderDetails, chunk_size: int, caller: Caller, user_id: str | None
    ) -> Appended:
        """Create a folder."""
        claim = await self._put_details(folder_id, details)
        event = FolderCreated(details=claim, chunk_size=chunk_size, user_id=user_id)
        return await self._append(folder_id, folder_id, event, caller)

    async def change_folder(
        self, folder_id: str, details: FolderDetails | None, chunk_size: int | None, caller: Caller
    ) -> Position:
        """Change a folder; a value that is None stays as it is. Raises ApiError NOT_FOUND (404) if it was removed."""
        claim = None if details is None else await self._put_details(folder_id, details)
        if details is not None and await documents.discarded(self._blobs, folder_id):
            raise not_found("folder")
        event = FolderChanged(by=caller.owner, details=claim, chunk_size=chunk_size)
        return (await self._append(folder_id, draw_run(), event, caller)).position

    async def remove_folder(self, folder_id: str, caller: Caller) -> Position:
        """Remove a folder. Its documents stay."""
        return (await self._append(folder_id, folder_id, FolderRemoved(by=caller.owner), caller)).position

    async def change_members(
        self, folder_id: str, caller: Caller, *, added: Sequence[str] = (), removed: Sequence[str] = ()
    ) -> Position:
        """Add documents to a folder and remove others from it."""
        event = FolderMembersChanged(added=tuple(added), removed=tuple(removed))
        return (await self._append(folder_id, draw_run(), event, caller)).position

    async def _put_details(self, folder_id: str, details: FolderDetails) -> Claim:
        return await self._blobs.put(documents.folder_details_of(folder_id), to_json(details, exclude_none=True))

    async def _append(self, subject: str, scope: str, event: Event, caller: Caller) -> Appended:
        return await self._facts.append(subject, scope, event, caller, "look up the id before you repeat the request")
