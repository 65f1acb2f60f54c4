"""I7: what the blob store still has of erased jobs and batches, and of removed documents and folders.

A very recent erasure is not a fault on a live stack: the worker has `ERASURE_GRACE` to carry it out. While an erased
job still has the marker of an upload, its erasure may wait for the creation of another job with that upload: until
`UPLOAD_GRACE` its parameters and markers, which name the upload, may be left.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Connection

from piperoll.history import History, Violation
from piperoll.job_types import job_types
from piperoll.log.record import partition_of
from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.documents import FolderIndex
from schemas.job_types.declaration import Makes
from services.projector.verify.document_comparison import DocumentHistory

INVARIANT = "I7"
ERASURE_GRACE = timedelta(minutes=1)
UPLOAD_GRACE = ERASURE_GRACE + timedelta(seconds=uploads.ARRIVAL_S)

Marks = Mapping[int, Mapping[str, Sequence[str]]]
"""The markers of uploads, by partition and job."""


async def upload_marks(blobs: AsyncBlobs, partitions: int) -> Marks:
    """List the markers of the jobs that use uploads. Raises BlobStoreError."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for mark in await blobs.names(uploads.USES):
        job_id = mark.rpartition("/")[2]
        found[partition_of(job_id, partitions)][job_id].append(mark)
    return found


async def job_leftovers(
    history: History, blobs: AsyncBlobs, now: datetime, marks: Mapping[str, Sequence[str]] | None = None
) -> list[Violation]:
    """Blobs, parameters in segments and upload markers of erased jobs and batches. Raises BlobStoreError.

    `now` must not be later than the listing of `marks`.
    """
    marks = marks or {}
    overdue = set(history.erased_before(now - UPLOAD_GRACE))
    left = {}
    for subject in history.erased_before(now - ERASURE_GRACE):
        if subject in marks and subject not in overdue:
            left[subject] = [name for name in await blobs.names(subject) if not name.startswith(f"{subject}/in/")]
        else:
            left[subject] = [*await _left(subject, history.inputs.get(subject), blobs), *marks.get(subject, ())]
    return history.leftovers(left)


async def removal_leftovers(history: DocumentHistory, blobs: AsyncBlobs, now: datetime) -> list[Violation]:
    """Blobs of removed documents and folders. Raises BlobStoreError."""
    before = now - ERASURE_GRACE
    removed = [
        *(one.document_id for one in history.documents.values() if one.removed and one.updated_at < before),
        *(one.folder_id for one in history.folders.values() if one.removed and one.updated_at < before),
    ]
    left = [(subject, await blobs.names(documents.content_of(subject))) for subject in removed]
    return [
        Violation(INVARIANT, subject, f"was removed and still has {len(names)} blobs, such as {names[0]}")
        for subject, names in left
        if names
    ]


async def index_leftovers(
    connection: Connection, sql: Mapping[str, str], blobs: AsyncBlobs, job_id: str, index: FolderIndex
) -> list[Violation]:
    """Chunks of removed documents in an index that was not erased. Raises BlobStoreError."""
    named = [part.document_id for part in index.parts]
    removed = {row["document_id"] for row in await connection.fetch(sql["removed_documents"], named, ERASURE_GRACE)}
    return [
        Violation(INVARIANT, part.document_id, f"was removed and still has chunks in the index of {job_id}")
        for part in index.parts
        if part.document_id in removed and await _exists(blobs, part.content.uri)
    ]


async def unerased_jobs(connection: Connection, sql: Mapping[str, str]) -> list[Violation]:
    """Jobs about removed documents, and indexes of removed folders, that were not erased with them."""
    rows = await connection.fetch(sql["unerased_jobs"], job_types().that_make(Makes.INDEX), ERASURE_GRACE)
    return [
        Violation(INVARIANT, row["job_id"], f"is about {row['target_id']}, which was removed, and is not erased")
        for row in rows
    ]


async def _left(subject: str, parameters: str | None, blobs: AsyncBlobs) -> Sequence[str]:
    """The remaining content of an erased job or batch: its blobs, and its parameters if they are stored elsewhere."""
    names = list(await blobs.names(subject))
    if parameters is None or parameters in names or not await _exists(blobs, parameters):
        return names
    return [*names, parameters]


async def _exists(blobs: AsyncBlobs, uri: str) -> bool:
    try:
        await blobs.get(uri)  # not its size: a part of a segment may be blank
    except BlobMissingError:
        return False
    return True
