"""What sweeps note in the store: for each partition the ids without a fact, and why a sweep stopped.

A note of a zombie or of an older state of the store does no harm: an id is deleted only after the log was searched, and
blobs that changed since it was noted are seen for the first time.
"""

from pydantic import BaseModel, ValidationError

from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from services.worker.cleanup.sweep.evidence import Sighting

FOLDER = "sweeps"
VERSION = 1


class Notes(BaseModel):
    """The notes of one partition. Those of another log do not count."""

    version: int = VERSION
    cluster_id: str = ""
    sightings: dict[str, Sighting] = {}
    stopped: str | None = None


async def load(blobs: AsyncBlobs, partition: int, cluster_id: str) -> Notes:
    """Return the notes; empty ones if there are none that can be used. Raises BlobStoreError."""
    try:
        found = Notes.model_validate_json(await blobs.get(_uri(partition)))
    except (BlobMissingError, ValidationError):
        return Notes(cluster_id=cluster_id)
    usable = (found.version, found.cluster_id) == (VERSION, cluster_id)
    return found if usable else Notes(cluster_id=cluster_id)


async def save(blobs: AsyncBlobs, partition: int, before: Notes, after: Notes) -> None:
    """Replace the notes if they changed. Raises BlobStoreError."""
    if after != before:
        await blobs.replace(_uri(partition), after.model_dump_json().encode())


async def stops(blobs: AsyncBlobs) -> list[str]:
    """Return why sweeps stopped, each sentence once, for `piperoll doctor`. Raises BlobStoreError."""
    found = []
    for uri in await blobs.names(FOLDER):
        try:
            found.append(Notes.model_validate_json(await blobs.get(uri)).stopped)
        except (BlobMissingError, ValidationError):
            continue
    return sorted({one for one in found if one})


def _uri(partition: int) -> str:
    return f"{FOLDER}/{partition}"
