"""An owner's documents and folders, read after the read model has caught up. Foreign and removed ones are not found."""

import asyncio
from functools import partial

from services.api.http.errors import not_found
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.document_rows import DocumentRow, FolderRow, ListedDocument
from services.api.read_model.documents import DocumentModel


class Library:
    """Reads documents and folders. `model` reads without waiting; `jobs` waits for the facts of jobs."""

    def __init__(self, model: DocumentModel, catching_up: CatchingUp, jobs: CatchingUp) -> None:
        self.model = model
        self.catching_up = catching_up
        self._jobs = jobs

    async def document(self, document_id: str, owner: str) -> DocumentRow:
        """Return the document's row. Raises ApiError: NOT_FOUND (404), READ_MODEL_UNAVAILABLE (503)."""
        row = await self.own_document(document_id, owner)
        if row is None or row.removed:
            raise not_found("document")
        return row

    async def own_document(self, document_id: str, owner: str) -> DocumentRow | None:
        """Return the document's row, also of a removed one; None for one that the owner never had."""
        return await self.catching_up.find(partial(self.model.document, document_id), lambda row: row.owner == owner)

    async def documents(self, owner: str, limit: int, offset: int) -> list[ListedDocument]:
        """Return a page of the owner's documents, newest first, after a short wait."""
        await self.catching_up.briefly()
        return await self.model.documents(owner, limit, offset)

    async def folder(self, folder_id: str, owner: str) -> FolderRow:
        """Return the folder's row. Raises as `document` does."""
        row = await self.catching_up.find(partial(self.model.folder, folder_id), lambda found: found.owner == owner)
        if row is None or row.removed:
            raise not_found("folder")
        return row

    async def folders(self, owner: str, limit: int, offset: int) -> list[FolderRow]:
        """Return a page of the owner's folders, newest first, after a short wait."""
        await self.catching_up.briefly()
        return await self.model.folders(owner, limit, offset)

    async def files(self, folder: FolderRow, limit: int, offset: int) -> list[ListedDocument]:
        """Return a page of a folder's documents, in the order in which they were added, after a short wait."""
        await self.catching_up.briefly()
        return await self.model.files(folder.folder_id, folder.owner, limit, offset)

    async def require_documents(self, document_ids: list[str], owner: str) -> None:
        """Raise ApiError NOT_FOUND if some are not the owner's documents; its details list them."""
        missing = set(document_ids) - await self.model.found(document_ids, owner)
        if missing:
            missing -= await self.catching_up.at_present(partial(self.model.found, document_ids, owner))
        if missing:
            raise not_found("document", missing=sorted(missing)[:100])

    async def is_member(self, folder_id: str, document_id: str) -> bool:
        """Return whether a document is in a folder, once the read model has caught up."""
        return await self.catching_up.at_present(partial(self.model.is_member, folder_id, document_id))

    async def up_to_now(self) -> None:
        """Return once the facts of documents and jobs in the log were projected. Raises ReadModelUnavailableError."""
        await asyncio.gather(self.catching_up.up_to_now(), self._jobs.up_to_now())
