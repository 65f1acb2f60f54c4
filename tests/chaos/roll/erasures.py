"""Jobs and a batch that share an upload and are erased together, and what may be left of them: nothing."""

import asyncio
from collections.abc import Sequence

from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs
from tests.chaos.roll.requests import Seen
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

JOBS = 2
MEMBERS = 2


class Erasures:
    """Erases groups of jobs; `folders` are those of what they had in the store."""

    def __init__(self, system: System, seen: Seen) -> None:
        self._system = system
        self._seen = seen
        self.folders: list[str] = []

    async def group(self) -> None:
        """Create a group that reads an upload, and erase all of it at once when it has ended."""
        client = self._system.client
        content = f"erased {len(self.folders)} ".encode() * 1000
        stored = (await client.post("/api/files", files={"file": ("erased.txt", content)})).json()["data"]
        one = {"job_type": "extraction", "parameters": {"filename": stored["filename"]}}
        batch = (await client.post("/api/jobs/batch", json={"jobs": [one] * MEMBERS})).json()["data"]
        jobs = [(await client.post("/api/jobs/", json=one)).json()["data"]["job_id"] for _ in range(JOBS)]
        await self._system.wait_for_all([*jobs, *batch["job_ids"]])
        paths = [*(f"/api/jobs/{job_id}" for job_id in jobs), f"/api/jobs/batch/{batch['batch_id']}"]
        replies = await asyncio.gather(*map(client.delete, paths))
        assert {one.status_code for one in replies} <= {200, 202}, [one.text for one in replies]
        file_id = stored["filename"].removeprefix(uploads.SCHEME).partition("/")[0]
        shared = [uploads.folder_of("local", file_id), uploads.uses_of("local", file_id)]
        self.folders += [*shared, *jobs, batch["batch_id"], *batch["job_ids"]]
        self._seen.erased_jobs += JOBS + MEMBERS
        self._seen.erased_batches += 1

    async def are_carried_out(self, blobs: AsyncBlobs) -> None:
        """Wait until nothing of them is in the store."""

        async def left() -> Sequence[str]:
            return [uri for folder in self.folders for uri in await blobs.names(folder)]

        async def are_empty() -> bool:
            return not await left()

        await wait_until(are_empty, PATIENCE_S, f"nothing to be left of {self.folders}")
