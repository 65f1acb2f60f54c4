"""The contents of the claims of rows, from the blob store: parameters, results, error details, names."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog
from pydantic_core import from_json

from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.claims import Claim
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

RowT = TypeVar("RowT")
T = TypeVar("T")

AT_ONCE = 16  # contents of one list: the blob store reads for other requests too


async def of_each(read: Callable[[RowT], Awaitable[T]], rows: Sequence[RowT]) -> list[T]:
    """Return what is read of each row of a list, AT_ONCE at a time."""
    found: list[T] = []
    for begin in range(0, len(rows), AT_ONCE):
        found += await asyncio.gather(*map(read, rows[begin : begin + AT_ONCE]))
    return found


class Contents:
    """Reads JSON by its claims. Raises BlobStoreError while the store does not answer."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self._blobs = blobs

    async def read(self, claim: Claim | None) -> Any:
        """Return the JSON content of a claim; None without a claim or if its blob was erased."""
        if claim is None:
            return None
        try:
            return from_json(await self._blobs.get(claim.uri))
        except BlobMissingError:
            log.info("blob_missing", uri=claim.uri)
            return None

    async def parameters(self, row: JobRow) -> dict[str, Any] | None:
        """Return the job's parameters; of a member that was not created yet, its entry in the batch's specs."""
        if row.erased:
            return None
        if row.job is not None and row.job.parameters is not None:
            parameters: dict[str, Any] | None = await self.read(row.job.parameters)
            return parameters
        if row.batch is None or row.batch_index is None:
            return None
        specs = await self.read(row.batch.specs)
        return specs[row.batch_index] if specs else None
