"""Asks the read model about documents and folders (documents.sql). Raises ReadModelUnavailableError, nothing else."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from piperoll.domain.job import Status
from piperoll.postgres import load_queries
from schemas.claims import Claim
from services.api.http.database import asking
from services.api.read_model.document_rows import (
    INTAKE,
    DocumentRow,
    FileRow,
    FolderRow,
    HitRow,
    IndexRow,
    ListedDocument,
    SourceRow,
    TextRow,
    claim_of,
    document_row,
    listed_document,
    text_row,
)

QUERIES = load_queries("services.api.read_model", "documents.sql")


class DocumentModel:
    """The projected rows of documents, folders and indexes. Every call is bounded by `deadline_s`."""

    def __init__(self, pool: asyncpg.Pool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def document(self, document_id: str) -> DocumentRow | None:
        """A document of any owner, also a removed one."""
        rows = await self._fetch("document", document_id, INTAKE)
        return document_row(rows[0]) if rows else None

    async def documents(self, owner: str, limit: int, offset: int) -> list[ListedDocument]:
        """A page of an owner's documents, newest first."""
        return [listed_document(row) for row in await self._fetch("list_documents", owner, INTAKE, limit, offset)]

    async def text(self, document_id: str, owner: str) -> Claim | None:
        """The result document of the newest completed job that read a document."""
        rows = await self._fetch("text_of_document", owner, document_id, INTAKE)
        return claim_of(rows[0]["result"]) if rows else None

    async def found(self, document_ids: Sequence[str], owner: str) -> set[str]:
        """Those of some documents that the owner has."""
        return {row["document_id"] for row in await self._fetch("found_documents", owner, document_ids)}

    async def folder(self, folder_id: str) -> FolderRow | None:
        """A folder of any owner, also a removed one."""
        rows = await self._fetch("folder", folder_id, INTAKE)
        return FolderRow(**rows[0]) if rows else None

    async def folders(self, owner: str, limit: int, offset: int) -> list[FolderRow]:
        """A page of an owner's folders, newest first."""
        return [FolderRow(**row) for row in await self._fetch("list_folders", owner, INTAKE, limit, offset)]

    async def files(self, folder_id: str, owner: str, limit: int, offset: int) -> list[FileRow]:
        """A page of a folder's documents, in the order in which they came."""
        return [FileRow(**row) for row in await self._fetch("files", folder_id, owner, limit, offset)]

    async def is_member(self, folder_id: str, document_id: str) -> bool:
        """Whether a document is in a folder."""
        return bool(await self._fetch("member", folder_id, document_id))

    async def texts(self, folder_id: str, owner: str) -> list[TextRow]:
        """All documents of a folder with their texts."""
        return [text_row(row) for row in await self._fetch("folder_texts", folder_id, owner, INTAKE)]

    async def sources(self, folder_id: str, owner: str) -> list[SourceRow]:
        """All documents of a folder that jobs found somewhere."""
        rows = await self._fetch("folder_sources", folder_id, owner, INTAKE)
        return [SourceRow(row["document_id"], row["source"], row["revision"], tuple(row["jobs"])) for row in rows]

    async def jobs_about(
        self, target_id: str, owner: str, job_types: Sequence[str] | None = None
    ) -> dict[str, Claim | None]:
        """The owner's jobs about a document or folder: their ids, and where their parameters are."""
        rows = await self._fetch("jobs_about", owner, target_id, job_types)
        return {row["job_id"]: claim_of(row["parameters"]) for row in rows}

    async def newest_of_target(self, target_id: str, owner: str, job_types: Sequence[str]) -> tuple[str, Status] | None:
        """The newest job whose target clients know as `target_id` (contract 15c), and how it stands."""
        rows = await self._fetch("newest_of_target", owner, target_id, job_types)
        return (rows[0]["job_id"], Status(rows[0]["status"])) if rows else None

    async def index(self, folder_id: str) -> IndexRow | None:
        """The index that a folder's search reads."""
        rows = await self._fetch("index", folder_id)
        return IndexRow(**rows[0]) if rows else None

    async def search(self, folder_id: str, owner: str, model: str, vector: Sequence[float], limit: int) -> list[HitRow]:
        """The chunks of a folder nearest to a vector of the index's model, the best first."""
        written = f"[{','.join(map(repr, vector))}]"
        return [HitRow(*row) for row in await self._fetch("search", folder_id, model, written, limit, owner)]

    async def _fetch(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        async with asking(name, self._deadline_s):
            return await self._pool.fetch(QUERIES[name], *arguments)
