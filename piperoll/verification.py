"""The last `piperoll verify` with its verdict, kept in the blob store for the API.

Not in Postgres, which is what is verified: a rebuild or a restored database would lose it, or bring back an older one.
"""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from piperoll.store.blobs import AsyncBlobs, BlobMissingError

URI: Final = "verify/last.json"
MOST_SENTENCES: Final = 20


class Verification(BaseModel):
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


async def keep(blobs: AsyncBlobs, found: Verification) -> None:
    """Replace the verification before it. Raises BlobStoreError."""
    await blobs.replace(URI, found.model_dump_json().encode())


async def last(blobs: AsyncBlobs) -> Verification | None:
    """Return the last verification; None if there was none. Raises BlobStoreError."""
    try:
        return Verification.model_validate_json(await blobs.get(URI))
    except (BlobMissingError, ValidationError):
        return None
