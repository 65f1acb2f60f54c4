"""The verdict of the last `piperoll verify`, kept in the blob store for the API.

Not in Postgres, which is what is verified: a rebuild or a restored database would lose it, or bring back an older one.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from piperoll.store.blobs import AsyncBlobs, BlobMissingError

URI: Final = "verify/verdict.json"
MOST_SENTENCES: Final = 20


class Verdict(BaseModel):
    """What a comparison of log, tables and blobs found. `violations` counts all, `sentences` are the first ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    holds: bool
    ended_at: datetime
    seconds: float
    records: int
    jobs: int
    documents: int
    violations: int
    sentences: tuple[str, ...] = ()


async def keep(blobs: AsyncBlobs, verdict: Verdict) -> None:
    """Replace the verdict of the verification before. Raises BlobStoreError."""
    await blobs.replace(URI, verdict.model_dump_json().encode())


async def last(blobs: AsyncBlobs) -> Verdict | None:
    """Return the verdict of the last verification; None if there was none. Raises BlobStoreError."""
    try:
        return Verdict.model_validate_json(await blobs.get(URI))
    except (BlobMissingError, ValidationError):
        return None
