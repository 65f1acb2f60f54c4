"""Resolves the documents and folders that a job names when it is created (schemas.documents.Resolved).

The API reads them from the read model, so that workers need no SQL. Jobs that name none need neither Postgres nor the
projector. An unknown id is a wrong parameter (docs/contract/secretary.md#validation): 400.
"""

import asyncio
from collections.abc import Sequence

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from schemas.documents import KnownDocument, Resolved, ResolvedDocument, ResolvedFolder, ResolvedSync, ResolvedText
from schemas.job_types.declaration import Named
from schemas.job_types.parameters import JobParameters
from services.api.http.errors import ApiError, in_member, invalid_field
from services.api.jobs.requests import Submission
from services.api.read_model.document_rows import FolderRow, SourceRow, TextRow
from services.api.read_model.library import Library

RESOLVED_AT_ONCE = 32  # more than the pool has connections, so that none of them idles
UNNAMED = "unnamed"  # for a document whose details were erased concurrently


class Resolver:
    """Resolves names in jobs of one owner. Raises ApiError: INVALID_PARAMETERS (400), READ_MODEL_UNAVAILABLE (503)."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def resolve(self, job_type: str, parameters: JobParameters, owner: str) -> Resolved | None:
        """Return the documents that the parameters name; None for a job that names none."""
        named = job_types().of(job_type).named_by(parameters)
        if named is None:
            return None
        await self._library.up_to_now()
        return await self._look(*named, owner)

    async def resolve_all(self, jobs: Sequence[Submission], owner: str) -> list[Resolved | None]:
        """Do the same for the members of a batch, with one look-up per document or folder. The details of an error in
        a member have its `index`."""
        named = [job_types().of(job.job_type).named_by(job.parameters) for job in jobs]
        first: dict[tuple[Named, str], int] = {}
        for index, key in enumerate(named):
            if key is not None:
                first.setdefault(key, index)
        if not first:
            return [None] * len(jobs)
        await self._library.up_to_now()
        found: dict[tuple[Named, str], Resolved | None] = {}
        for begin in range(0, len(first), RESOLVED_AT_ONCE):
            keys = list(first)[begin : begin + RESOLVED_AT_ONCE]
            answers = await asyncio.gather(*(self._member(first[key], key, owner) for key in keys))
            found.update(zip(keys, answers, strict=True))
        return [None if key is None else found[key] for key in named]

    async def _member(self, index: int, key: tuple[Named, str], owner: str) -> Resolved | None:
        try:
            return await self._look(*key, owner)
        except ApiError as error:
            if error.status == 400:  # the job is wrong; other errors are not about it
                raise in_member(error, index) from error
            raise

    async def _look(self, named: Named, subject: str, owner: str) -> Resolved | None:
        try:
            match named:
                case Named.DOCUMENT | Named.DOCUMENT_TEXT:
                    return await self._document(subject, owner, with_text=named is Named.DOCUMENT_TEXT)
                case Named.FOLDER:
                    await self._library.folder(subject, owner)
                    return None
                case Named.FOLDER_TEXTS:
                    folder = await self._library.folder(subject, owner)
                    return indexed(folder, await self._library.model.texts(subject, owner))
                case Named.FOLDER_SOURCES:
                    folder = await self._library.folder(subject, owner)
                    return synchronised(folder, await self._library.model.sources(subject, owner))
        except ApiError as error:
            if error.status != 404:
                raise
            field = named.parameter
            raise invalid_field(field, f"{field.removesuffix('_id')} not found") from error

    async def _document(self, document_id: str, owner: str, *, with_text: bool) -> Resolved:
        row = await self._library.document(document_id, owner)
        assert row.content is not None, "a document that was not removed has content"
        text = await self._library.model.text(document_id, owner) if with_text else None
        return ResolvedDocument(document_id=document_id, name=row.name or UNNAMED, content=row.content, text=text)


def indexed(folder: FolderRow, texts: list[TextRow]) -> ResolvedFolder:
    """Return a folder as input of its embedding job. `pending` documents have not been read yet. Pure."""
    found = tuple(
        ResolvedText(document_id=row.document_id, name=row.name or UNNAMED, text=row.result)
        for row in texts
        if row.result is not None
    )
    pending = sum(row.status in (None, Status.PENDING, Status.PROCESSING) for row in texts)
    assert folder.chunk_size is not None, "a folder that was not removed has a chunk size"
    name, chunk_size = folder.name or UNNAMED, folder.chunk_size
    return ResolvedFolder(
        folder_id=folder.folder_id, name=name, chunk_size=chunk_size, documents=found, pending=pending
    )


def synchronised(folder: FolderRow, sources: list[SourceRow]) -> ResolvedSync:
    """Return a folder as input of its sync job, which selects the documents of its source. Pure."""
    known = tuple(
        KnownDocument(
            document_id=row.document_id,
            source=row.source,
            revision=row.revision,
            jobs=row.jobs,
            parameters=dict(row.parameters),
        )
        for row in sources
    )
    return ResolvedSync(folder_id=folder.folder_id, name=folder.name or UNNAMED, documents=known)
