"""Where what belongs to documents lies in the blob store, and how it is deleted.

A document's content lies at `documents/{document_id}/{sha256}`, its details at `documents/{document_id}/details/…`.
What embedding jobs made of its text lies with these jobs, at `{job_id}/{run}/index/{document_id}`, and a mark at
`documents/{document_id}/indexes/{job_id}_{run}` leads there. One that was removed leaves an empty marker: its id is
used up (schemas.events.DocumentRemoved), so whoever finds the same file again takes it in under another one.
"""

import re
from collections.abc import Iterable, Iterator

from piperoll.store.blobs import AsyncBlobs

FOLDER = "documents"
REMOVED = "removed-documents"
_PART = re.compile(r"([^/]+)/([^/]+)/index/([^/]+)")


def folder_of(document_id: str) -> str:
    """The folder of a document: its content, its details, and the marks of indexes."""
    return f"{FOLDER}/{document_id}"


def details_of(document_id: str) -> str:
    """The folder of a document's details."""
    return f"{folder_of(document_id)}/details"


def removal_of(document_id: str) -> str:
    """The marker of a removed document."""
    return f"{REMOVED}/{document_id}"


def index_part(job_id: str, run: str, document_id: str) -> str:
    """Where a run of an embedding job keeps the chunks of a document."""
    return f"{job_id}/{run}/index/{document_id}"


def index_mark(job_id: str, run: str, document_id: str) -> str:
    """The mark that leads from a document to such a part. It is written before the part."""
    return f"{_marks_of(document_id)}/{job_id}_{run}"


def index_marks(uris: Iterable[str]) -> Iterator[str]:
    """The marks of those blobs of a job that are parts of an index."""
    return (index_mark(*part.groups()) for uri in uris if (part := _PART.fullmatch(uri)))


async def delete_outputs(blobs: AsyncBlobs, folder: str) -> int:
    """Deletes a job's folder, or a run's, with the marks that lead into it; answers how many blobs it had.

    Raises BlobStoreError.
    """
    await blobs.delete(index_marks(await blobs.names(folder)))
    return await blobs.delete_folder(folder)


async def delete_content(blobs: AsyncBlobs, document_id: str) -> None:
    """Deletes what a removed document had in the blob store, its text in indexes included. May be repeated.

    The marker comes first: a run that embeds the document at this moment looks for it after it has written. Raises
    BlobStoreError.
    """
    await blobs.mark(removal_of(document_id))
    marks = await blobs.names(_marks_of(document_id))
    await blobs.delete([_part_of(mark) for mark in marks])
    await blobs.delete_folder(folder_of(document_id))


def _marks_of(document_id: str) -> str:
    return f"{folder_of(document_id)}/indexes"


def _part_of(mark: str) -> str:
    _, document_id, _, name = mark.split("/")
    job_id, _, run = name.rpartition("_")
    return index_part(job_id, run, document_id)
