"""Lists of batches, newest first, and single batches with their jobs (docs/contract/secretary.md#lists)."""

from typing import Any

from services.api.batches.requests import BatchListQuery
from services.api.batches.views import batch_summary, batch_view
from services.api.jobs.reading import Reading
from services.api.read_model.contents import Contents, of_each
from services.api.read_model.job_rows import BatchRow
from services.api.read_model.jobs import ReadModel


class BatchListing:
    """An owner's batches, read after a short wait for the read model to catch up."""

    def __init__(self, read_model: ReadModel, reading: Reading, contents: Contents) -> None:
        self._read_model = read_model
        self._reading = reading
        self._contents = contents

    async def batches(self, owner: str, query: BatchListQuery, user_id: str | None) -> dict[str, Any]:
        """Return `{total, batches}`; batches without their members. The query's user id overrides `user_id`, the
        header's. Raises ApiError READ_MODEL_UNAVAILABLE (503)."""
        if query.archived == "true":
            return {"total": 0, "batches": []}  # batches are never archived
        await self._reading.catching_up.briefly()
        user_id, ids = query.user_id or user_id, None
        async with self._read_model.turn():
            if query.status is not None:
                ids = await self._read_model.batches_of_status(owner, user_id, query.status)
            total, listed = await self._read_model.batches((owner, user_id, ids), query.limit, query.skip)
            names = await of_each(self._contents.read, [one.batch.name for one in listed])
            outlook = await self._reading.observer.outlook()
            shown = [batch_summary(one, name, outlook) for one, name in zip(listed, names, strict=True)]
            return {"total": total, "batches": shown}

    async def view_of(self, row: BatchRow) -> dict[str, Any]:
        """Return the batch as clients see it."""
        return batch_view(row, await self._contents.read(row.batch.name), await self._reading.observer.outlook())
