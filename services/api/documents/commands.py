"""What clients want of documents and folders, as facts: content to the blob store first, then records to the log.

Facts of documents go to the documents topic; the jobs that read and index them belong to
`services.api.jobs.commands`.
"""

from collections.abc import Sequence
from datetime import datetime

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
from services.api.log.facts import FactLog


class DocumentCommands:
    """Appends what was decided. Every method raises UnavailableError OUTCOME_UNKNOWN when Kafka does not answer."""

    def __init__(self, facts: FactLog, blobs: AsyncBlobs) -> None:
        self._facts = facts
        self._blobs = blobs

    async def add(self, document_id: str, name: str, content: Claim, caller: Caller, user_id: str | None) -> Position:
        """Where the document stands; its content is in the blob store already. A repeat is the same fact."""
        details = await self._blobs.put(documents.details_of(document_id), to_json(DocumentDetails(name=name)))
        event = DocumentAdded(content=content, details=details, revision=content.sha256, user_id=user_id)
        _, position = await self._append(document_id, document_id, event, caller)
        return position

    async def remove(self, document_id: str, caller: Caller) -> Position:
        """Where the removal stands. A repeat is the same fact."""
        _, position = await self._append(document_id, document_id, DocumentRemoved(by=caller.owner), caller)
        return position

    async def delete_content(self, document_id: str) -> None:
        """See `piperoll.store.document_paths.delete_content`."""
        await documents.delete_content(self._blobs, document_id)

    async def create_folder(
        self, folder_id: str, details: FolderDetails, chunk_size: int, caller: Caller, user_id: str | None
    ) -> tuple[datetime, Position]:
        """When the folder was created, and where that stands."""
        claim = await self._put_details(folder_id, details)
        event = FolderCreated(details=claim, chunk_size=chunk_size, user_id=user_id)
        return await self._append(folder_id, folder_id, event, caller)

    async def change_folder(
        self, folder_id: str, details: FolderDetails | None, chunk_size: int | None, caller: Caller
    ) -> tuple[datetime, Position]:
        """When the folder was changed, and where that stands; what is None stays as it is."""
        claim = None if details is None else await self._put_details(folder_id, details)
        event = FolderChanged(by=caller.owner, details=claim, chunk_size=chunk_size)
        return await self._append(folder_id, draw_run(), event, caller)

    async def remove_folder(self, folder_id: str, caller: Caller) -> Position:
        """Where the removal stands. Its documents stay."""
        _, position = await self._append(folder_id, folder_id, FolderRemoved(by=caller.owner), caller)
        return position

    async def delete_details(self, folder_id: str) -> None:
        """Deletes what a removed folder had in the blob store. Raises BlobStoreError."""
        await self._blobs.delete_folder(f"folders/{folder_id}")

    async def change_members(
        self, folder_id: str, caller: Caller, *, added: Sequence[str] = (), removed: Sequence[str] = ()
    ) -> Position:
        """Where it stands that documents came into a folder or left it."""
        event = FolderMembersChanged(added=tuple(added), removed=tuple(removed))
        _, position = await self._append(folder_id, draw_run(), event, caller)
        return position

    async def _put_details(self, folder_id: str, details: FolderDetails) -> Claim:
        return await self._blobs.put(f"folders/{folder_id}/details", to_json(details, exclude_none=True))

    async def _append(self, subject: str, scope: str, event: Event, caller: Caller) -> tuple[datetime, Position]:
        """When one fact was appended, and where it stands; see `FactLog.append`."""
        fact, position = await self._facts.append(
            subject, scope, event, caller, "look the id up before you repeat the request"
        )
        return fact.time, position
