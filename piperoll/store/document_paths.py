"""The blobs of documents and folders: their paths, and their deletion.

A document's content is at `documents/{document_id}/{sha256}`, its details at `documents/{document_id}/details/…`, the
details of a folder at `folders/{folder_id}/details/…`. A document's chunks are outputs of embedding jobs at
`{job_id}/{run}/index/{document_id}`; a marker at `documents/{document_id}/indexes/{job_id}_{run}` refers to each. A
job that was created about a document or folder has a marker at `about/{id}/{job_id}`.

A removed document or folder leaves an empty marker: its id is not used again (schemas.events.DocumentRemoved), and the
same file found later gets another id. A removal writes this marker and then deletes what it finds; every writer writes
and then looks for the marker. So at least one of the two sees the other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from piperoll.store.blobs import AsyncBlobs, BlobMissingError, Blobs

FOLDER = "documents"
FOLDERS = "folders"
INDEXES = "indexes"
ABOUT = "about"
REMOVED = "removed-documents"
REMOVED_FOLDERS = "removed-folders"
ERASED_WITH = ("document", "folder")
"""The kinds of `resolved` (schemas.documents) whose jobs are erased with what they name."""
_PART = re.compile(r"([^/]+)/([^/]+)/index/([^/]+)")


def is_folder(subject: str) -> bool:
    """Whether an id is that of a folder (schemas.ids), else it is that of a document."""
    return subject.startswith("folder-")


def folder_of(document_id: str) -> str:
    """Return the folder of a document's content, details and index markers."""
    return f"{FOLDER}/{document_id}"


def details_of(document_id: str) -> str:
    """Return the folder of a document's details."""
    return f"{folder_of(document_id)}/details"


def folder_details_of(folder_id: str) -> str:
    """Return the folder of the blobs of a folder's details."""
    return f"{FOLDERS}/{folder_id}/details"


def content_of(subject: str) -> str:
    """Return the folder of all blobs of a document or folder."""
    return f"{FOLDERS if is_folder(subject) else FOLDER}/{subject}"


def removal_of(subject: str) -> str:
    """Return the marker of a removed document or folder."""
    return f"{REMOVED_FOLDERS if is_folder(subject) else REMOVED}/{subject}"


def job_mark(subject: str, job_id: str) -> str:
    """Return the marker of a job about a document or folder. It is written before the job's creation."""
    return f"{ABOUT}/{subject}/{job_id}"


def subject_of(parameters_document: Mapping[str, Any]) -> str | None:
    """Return the id of the document or folder whose content a job's stored parameters name.

    None for a job about the sources of a folder's documents: it stays when the folder is removed.
    """
    resolved = parameters_document.get("resolved")
    if not isinstance(resolved, Mapping) or resolved.get("kind") not in ERASED_WITH:
        return None
    found = resolved.get("document_id") or resolved.get("folder_id")
    return str(found) if found else None


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


def is_removed(blobs: Blobs, subject: str) -> bool:
    """Whether a document or folder was removed, which is permanent. Raises BlobStoreError."""
    try:
        blobs.size(removal_of(subject))
    except BlobMissingError:
        return False
    return True


async def was_removed(blobs: AsyncBlobs, subject: str) -> bool:
    """As `is_removed`."""
    try:
        await blobs.size(removal_of(subject))
    except BlobMissingError:
        return False
    return True


async def discarded(blobs: AsyncBlobs, subject: str) -> bool:
    """For a writer, after its writes: delete all of a document or folder if it was removed; return whether it was."""
    removed = await was_removed(blobs, subject)
    if removed:
        await delete_content(blobs, subject)
    return removed


async def note_job(blobs: AsyncBlobs, subject: str, job_id: str) -> bool:
    """Note a job about a document or folder, so that the removal erases it; return whether that was removed before.

    Raises BlobStoreError.
    """
    await blobs.mark(job_mark(subject, job_id))
    return await was_removed(blobs, subject)


async def jobs_about(blobs: AsyncBlobs, subject: str) -> Sequence[str]:
    """Return the jobs that were noted for a document or folder."""
    return [mark.rpartition("/")[2] for mark in await blobs.names(f"{ABOUT}/{subject}")]


async def delete_content(blobs: AsyncBlobs, subject: str) -> int:
    """Delete all blobs of a removed document or folder, a document's chunks in indexes included; return their number.

    Idempotent. The notes of its jobs are kept. Raises BlobStoreError.
    """
    await blobs.mark(removal_of(subject))
    marks = await blobs.names(_marks_of(subject))
    await blobs.delete([_part_of(mark) for mark in marks])
    return await blobs.delete_folder(content_of(subject))


def _marks_of(document_id: str) -> str:
    return f"{folder_of(document_id)}/{INDEXES}"


def _part_of(mark: str) -> str:
    _, document_id, _, name = mark.split("/")
    job_id, _, run = name.rpartition("_")
    return index_part(job_id, run, document_id)
