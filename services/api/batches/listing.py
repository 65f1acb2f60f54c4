"""Batches as they are read: lists of them (contract 2c), newest first, and one of them with its jobs."""

import asyncio
from typing import Any

from services.api.batches.requests import BatchListQuery
from services.api.batches.views import batch_summary, batch_view
from services.api.jobs.reading import Reading
from services.api.read_model.catching_up import LIST_WAIT_S
from services.api.read_model.contents import Contents
from services.api.read_model.job_rows import BatchRow
from services.api.read_model.jobs import ReadModel


class BatchListing:
    """An owner's batches, as the read model has them after a short wait for it to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._contents = contents

    async def batches(self, owner: str, query: BatchListQuery, user_id: str | None) -> dict[str, Any]:
        """`{total, batches}`; batches without their members. `user_id` is the header's, which the query's goes before.

        Raises ApiError READ_MODEL_UNAVAILABLE (503).
        """
        if query.archived == "true":
            return {"total": 0, "batches": []}  # nothing is ever archived here
        await self._reading.caught_up(LIST_WAIT_S)
        user_id, ids = query.user_id or user_id, None
        if query.status is not None:
            ids = await self._read_model.batches_of_status(owner, user_id, query.status)
        total, listed = await self._read_model.batches((owner, user_id, ids), query.limit, query.skip)
        names = await asyncio.gather(*(self._contents.document(one.batch.name) for one in listed))
        return {
            "total": total,
            "batches": [batch_summary(one, name) for one, name in zip(listed, names, strict=True)],
        }

    async def shown(self, row: BatchRow) -> dict[str, Any]:
        """The batch as clients see it."""
        return batch_view(row, await self._contents.document(row.batch.name))
