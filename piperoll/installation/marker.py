"""The marker in the blob store, and the evidence beside it. No decision is made here."""

from pydantic import BaseModel, ValidationError

from piperoll.installation.identity import Evidence, Installation, InstallationError
from piperoll.log.continuity import StoredPosition
from piperoll.log.contract import Offsets
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.store.marker import MARKER
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_EVENTS

CHECKPOINTS = "checkpoints"
SUBJECTS = ("job-", "batch-")
WITHOUT_MEANING = ("piperoll-check/",)  # what `piperoll doctor` and the readers write and delete to try the store
NAMING_BLOBS = (JOB_EVENTS, DOCUMENT_EVENTS, ENDPOINT_EVENTS)


class _Head(BaseModel):
    """What the first line of a worker's checkpoint of every release has."""

    cluster_id: str
    next_offset: int = 0
    last_ce_id: str = ""


async def read(blobs: AsyncBlobs) -> Installation | None:
    """Return the installation that the blob store belongs to; None without a marker.

    Raises InstallationError for a marker that cannot be read, and BlobStoreError.
    """
    try:
        content = await blobs.get(MARKER)
    except BlobMissingError:
        return None
    try:
        return Installation.model_validate_json(content)
    except ValidationError as error:
        raise InstallationError(
            f"{MARKER} in the blob store cannot be read: restore it from a copy of the store, or run `piperoll adopt`"
        ) from error


async def create(blobs: AsyncBlobs, installation: Installation) -> Installation:
    """Write the marker unless there is one; return the one that is there."""
    await blobs.put_marker(installation.model_dump_json().encode())
    return await read(blobs) or installation


async def replace(blobs: AsyncBlobs, installation: Installation) -> None:
    """Write the marker over another one."""
    await blobs.replace(MARKER, installation.model_dump_json().encode())


async def has_records(log: Offsets) -> bool:
    """Return whether a fact that names blobs was ever appended."""
    for topic in NAMING_BLOBS:
        if any((await log.end_offsets(topic)).values()):
            return True
    return False


async def evidence(blobs: AsyncBlobs, records: bool) -> Evidence:
    """Return what a store without a marker shows: a page of its names, and the clusters of its checkpoints."""
    names: list[str] = []
    async for page in blobs.pages():
        names = [entry.uri for entry in page if not entry.uri.startswith(WITHOUT_MEANING)]
        break
    return Evidence(
        records=records,
        blobs=bool(names),
        jobs=any(name.startswith(SUBJECTS) for name in names),
        cluster_ids=frozenset(one.cluster_id for one in (await checkpoints(blobs)).values() if one and one.cluster_id),
    )


async def checkpoints(blobs: AsyncBlobs) -> dict[str, StoredPosition | None]:
    """Return the positions of the workers' checkpoints by uri; None for one that cannot be read."""
    return {uri: await _position(blobs, uri) for uri in await blobs.names(CHECKPOINTS)}


async def _position(blobs: AsyncBlobs, uri: str) -> StoredPosition | None:
    try:
        head = _Head.model_validate_json((await blobs.get(uri)).partition(b"\n")[0])
    except (BlobMissingError, ValidationError):
        return None
    return StoredPosition(head.next_offset, head.last_ce_id or None, head.cluster_id)
