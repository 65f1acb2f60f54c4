"""A blob store in memory that can be away."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from piperoll.store.blobs import AsyncBlobs, BlobStoreError

P = ParamSpec("P")
T = TypeVar("T")


class SimulatedStore(AsyncBlobs):
    """The blobs of a simulated world; while `away`, every call fails, as on a full or unmounted disk."""

    away = False
    unreadable_of = ""

    def require(self, job_id: str = "") -> None:
        """Raise BlobStoreError while the store is away, and for the job `unreadable_of` always."""
        if self.away or (job_id and job_id == self.unreadable_of):
            raise BlobStoreError("the store is away")

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self.require()
        return await super()._run(call, *args, **kwargs)
