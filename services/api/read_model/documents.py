"""Queries of documents and folders (documents.sql). Every method raises ReadModelUnavailableError."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from piperoll.postgres import load_queries
from schemas.claims import Claim
from schemas.job_types.declaration import Makes
from services.api.http.database import Source, bounded_query
from services.api.read_model.document_rows import (
    DocumentRow,
    FolderRow,
    HitRow,
    IndexRow,
    ListedDocument,
    SourceRow,
    TextRow,
    claim_of,
    document_row,
    listed_document,
    source_row,
    text_row,
)

QUERIES = load_queries("services.api.read_model", "documents.sql")


class DocumentModel:
    """The projected rows of documents, folders and indexes. Every call is bounded by `deadline_s`."""

    def __init__(self, pool: asyncpg.Pool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s
        self._readers = job_types().that_make(Makes.TEXT)

    async def document(self, document_id: str, source: Source | None = None) -> DocumentRow | None:
        """Return a document of any owner, also a removed one."""
        rows = await self._fetch("document", document_id, self._readers, source=source)
        return document_row(rows[0]) if rows else None

    async def documents(self, owner: str, limit: int, offset: int) -> list[ListedDocument]:
        """Return a page of an owner's documents, newest first."""
        rows = await self._fetch("list_documents", owner, self._readers, limit, offset)
        return [listed_document(row) for row in rows]

    async def text(self, document_id: str, owner: str) -> Claim | None:
        """Return the result of the newest completed job that read a document."""
        rows = await self._fetch("text_of_document", owner, document_id, self._readers)
        return claim_of(rows[0]["result"]) if rows else None

    async def found(self, document_ids: Sequence[str], owner: str, source: Source | None = None) -> set[str]:
        """Return those of the ids that are documents of the owner."""
        rows = await self._fetch("found_documents", owner, document_ids, source=source)
        return {row["document_id"] for row in rows}

    async def folder(self, folder_id: str, source: Source | None = None) -> FolderRow | None:
        """Return a folder of any owner, also a removed one."""
        rows = await self._fetch("folder", folder_id, self._readers, source=source)
        return FolderRow(**rows[0]) if rows else None

    async def folders(self, owner: str, limit: int, offset: int) -> list[FolderRow]:
        """Return a page of an owner's folders, newest first."""
        return [FolderRow(**row) for row in await self._fetch("list_folders", owner, self._readers, limit, offset)]

    async def files(self, folder_id: str, owner: str, limit: int, offset: int) -> list[ListedDocument]:
        """Return a page of a folder's documents, in the order in which they were added."""
        rows = await self._fetch("files", folder_id, owner, self._readers, limit, offset)
        return [listed_document(row) for row in rows]

    async def is_member(self, folder_id: str, document_id: str, source: Source | None = None) -> bool:
        """Return whether a document is in a folder."""
        return bool(await self._fetch("member", folder_id, document_id, source=source))

    async def texts(self, folder_id: str, owner: str) -> list[TextRow]:
        """Return all documents of a folder with their texts."""
        return [text_row(row) for row in await self._fetch("folder_texts", folder_id, owner, self._readers)]

    async def sources(self, folder_id: str, owner: str) -> list[SourceRow]:
        """Return all documents of a folder that jobs found."""
        rows = await self._fetch("folder_sources", folder_id, owner, self._readers)
        return [source_row(row) for row in rows]

    async def jobs_about(
        self, target_id: str, owner: str, job_types: Sequence[str] | None = None
    ) -> dict[str, Claim | None]:
        """Return the ids of the owner's jobs about a document or folder, with the claims of their parameters."""
        rows = await self._fetch("jobs_about", owner, target_id, job_types)
        return {row["job_id"]: claim_of(row["parameters"]) for row in rows}

    async def newest_of_target(self, target_id: str, owner: str, job_types: Sequence[str]) -> tuple[str, Status] | None:
        """Return the newest job whose `targetId` is this (docs/contract/devana.md#mapping), and its status."""
        rows = await self._fetch("newest_of_target", owner, target_id, job_types)
        return (rows[0]["job_id"], Status(rows[0]["status"])) if rows else None

    async def index(self, folder_id: str) -> IndexRow | None:
        """Return the index that a folder's search reads."""
        rows = await self._fetch("index", folder_id)
        return IndexRow(**rows[0]) if rows else None

    async def search(self, folder_id: str, owner: str, model: str, vector: Sequence[float], limit: int) -> list[HitRow]:
        """Return the chunks of a folder nearest to a vector of the index's model, the best first."""
        text = f"[{','.join(map(repr, vector))}]"
        rows = await self._fetch("search", folder_id, model, text, limit, owner, self._readers)
        return [HitRow(**row) for row in rows]

    async def _fetch(self, name: str, *arguments: Any, source: Source | None = None) -> list[asyncpg.Record]:
        async with bounded_query(name, self._deadline_s):
            return await (source or self._pool).fetch(QUERIES[name], *arguments)
