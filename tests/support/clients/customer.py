"""An owner who runs programs against the system."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.clients.programs import SOURCES, Program, program_text, running
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

DOCUMENT = "cm4doc123abc456"  # followed by the monitor in bash
OTHER_DOCUMENT = "cm4doc123abc"  # followed by the monitor in Python
SLOTS = 2
sources = pytest.mark.parametrize("source", SOURCES)


@dataclass
class Customer:
    """An owner whose only jobs are those of one test."""

    system: System
    key: str
    folder: Path
    source: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def create(self, job_type: str, **parameters: Any) -> str:
        body = {"job_type": job_type, "parameters": parameters}
        return str((await self.system.post("/api/jobs/", body, **self.headers))["job_id"])

    async def pdf(self, target_id: str) -> str:
        """A job that will complete."""
        path = pdf(self.system.files / f"{uuid4().hex}.pdf", pages=2)
        return await self.create("pdf", filename=str(path), target_id=target_id, use_cache=False)

    async def broken_pdf(self, target_id: str) -> str:
        """A job that will fail."""
        path = self.system.files / f"{uuid4().hex}.pdf"
        path.write_bytes(b"no PDF at all")
        return await self.create("pdf", filename=str(path), target_id=target_id, use_cache=False)

    async def jobs(self, **query: Any) -> list[dict[str, Any]]:
        reply = await self.system.client.get("/v1/jobs", params=query, headers=self.headers)
        assert reply.status_code == 200, reply.text
        return list(reply.json()["data"])

    async def until(self, job_id: str, status: str) -> dict[str, Any]:
        """Wait until the list shows the job with `status`."""

        async def found() -> dict[str, Any] | None:
            return next((job for job in await self.jobs(status=status) if job["id"] == job_id), None)

        job = await wait_until(found, 60, f"{job_id} to be {status}")
        assert job is not None
        return job

    def file(self, name: str) -> Path:
        """Write the program with URL and key; return its path."""
        path = self.folder / name
        path.write_text(program_text(name, self.source, self.system.stack.api_url, self.key), encoding="utf-8")
        return path


@asynccontextmanager
async def no_slot_free(system: System) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Keep all slots busy, so that new jobs stay pending, until the block ends or calls the yielded function."""
    holding = [await system.create(sleep_s=3600) for _ in range(SLOTS)]

    async def release() -> None:
        for job_id in holding:
            await system.client.post(f"/api/jobs/{job_id}/cancel")

    try:
        for job_id in holding:
            await system.wait_for_status(job_id, "processing")
        yield release
    finally:
        await release()


def bash(customer: Customer, name: str) -> AbstractAsyncContextManager[Program]:
    return running("bash", customer.file(name))
