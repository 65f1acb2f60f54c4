"""The blobs of documents: their paths, and their deletion.

A document's content is at `documents/{document_id}/{sha256}`, its details at `documents/{document_id}/details/…`.
Its chunks are outputs of embedding jobs at `{job_id}/{run}/index/{document_id}`; a marker at
`documents/{document_id}/indexes/{job_id}_{run}` refers to each. A removed document leaves an empty marker: its id
is not used again (schemas.events.DocumentRemoved), and the same file found later gets another id.
"""

import re
from collections.abc import Iterable, Iterator

from piperoll.store.blobs import AsyncBlobs

FOLDER = "documents"
REMOVED = "removed-documents"
_PART = re.compile(r"([^/]+)/([^/]+)/index/([^/]+)")


def folder_of(document_id: str) -> str:
    """Return the folder of a document's content, details and index markers."""
    return f"{FOLDER}/{document_id}"


def details_of(document_id: str) -> str:
    """Return the folder of a document's details."""
    return f"{folder_of(document_id)}/details"


def removal_of(document_id: str) -> str:
    """Return the marker of a removed document."""
    return f"{REMOVED}/{document_id}"


def index_part(job_id: str, run: str, document_id: str) -> str:
    """Return the path of a document's chunks in the outputs of an embedding job's run."""
    return f"{job_id}/{run}/index/{document_id}"


def index_mark(job_id: str, run: str, document_id: str) -> str:
    """Return the marker by which a document refers to such a part. It is written before the part."""
    return f"{_marks_of(document_id)}/{job_id}_{run}"


def index_marks(uris: Iterable[str]) -> Iterator[str]:
    """Yield the markers for those blobs of a job that are parts of an index."""
    return (index_mark(*part.groups()) for uri in uris if (part := _PART.fullmatch(uri)))


async def delete_outputs(blobs: AsyncBlobs, folder: str) -> int:
    """Delete the folder of a job or run, and the markers for it; return its number of blobs. Raises BlobStoreError."""
    await blobs.delete(index_marks(await blobs.names(folder)))
    return await blobs.delete_folder(folder)


async def delete_content(blobs: AsyncBlobs, document_id: str) -> None:
    """Delete all blobs of a removed document, its chunks in indexes included. Idempotent.

    The marker is written first: a run that embeds the document at the same time checks for it after its writes.
    Raises BlobStoreError.
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
