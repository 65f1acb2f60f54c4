"""The programs that the Devana API's document prints run against our server with only base URL and key changed.

Those of the document where it is at hand, and equivalents of our own (tests/programs).
"""

import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.clients.programs import OURS, SOURCES, Program, program_text, running
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

DOCUMENT = "cm4doc123abc456"  # which the printed monitor in bash follows
OTHER_DOCUMENT = "cm4doc123abc"  # which the one in Python follows
SLOTS = 2

sources = pytest.mark.parametrize("source", SOURCES)


@dataclass
class Customer:
    """An owner who has no other jobs than a test's own."""

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
        """The job once the list shows it so."""

        async def found() -> dict[str, Any] | None:
            return next((job for job in await self.jobs(status=status) if job["id"] == job_id), None)

        job = await wait_until(found, 60, f"{job_id} to be {status}")
        assert job is not None
        return job

    def file(self, name: str) -> Path:
        """The program, ready to be run."""
        path = self.folder / name
        path.write_text(program_text(name, self.source, self.system.stack.api_url, self.key), encoding="utf-8")
        return path


@pytest.fixture
async def customer(system: System, source: str, tmp_path: Path) -> Customer:
    return Customer(system, await system.create_key(f"customer-{uuid4().hex[:8]}"), tmp_path, source)


@asynccontextmanager
async def no_slot_free(system: System) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Keeps the worker busy, so that a new job stays pending: until the block ends, or calls what it is given."""
    holding = [await system.create(sleep_s=120) for _ in range(SLOTS)]

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


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_follows_a_job_to_its_end(customer: Customer) -> None:
    async with no_slot_free(customer.system) as release:
        await customer.pdf(DOCUMENT)
        async with bash(customer, "extraction_monitor.sh") as monitor:
            await monitor.says(r"PENDING\b.*\b0 ?%")
            await release()
            await monitor.says(r"DONE\b.*\b100 ?%")
            assert await monitor.ends() == 0


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_reports_a_failure_with_status_1(customer: Customer) -> None:
    job = await customer.until(await customer.broken_pdf(DOCUMENT), "ERROR")
    async with bash(customer, "extraction_monitor.sh") as monitor:
        assert await monitor.ends() == 1
        await monitor.says(re.escape(job["error"]))


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_extraction_monitor_ends_where_there_is_no_job(customer: Customer) -> None:
    async with bash(customer, "extraction_monitor.sh") as monitor:
        assert await monitor.ends() == 0
        await monitor.says(DOCUMENT)


@sources
async def test_the_job_monitor_waits_for_a_job_and_counts_all(customer: Customer) -> None:
    await customer.until(await customer.broken_pdf("another"), "ERROR")
    async with no_slot_free(customer.system) as release:
        job_id = await customer.pdf(OTHER_DOCUMENT)
        async with running(sys.executable, customer.file("job_monitor.py")) as monitor:
            await monitor.says(rf"{job_id}: PENDING \(0%\)")
            await release()
            await monitor.says(rf"{job_id}: DONE \(100%\)")
            assert await monitor.ends() == 0
    await monitor.says(r"'total': 2")
    await monitor.says(r"'by_type': {'EXTRACTION': 2}")


@sources
async def test_the_job_monitor_reports_a_failure(customer: Customer) -> None:
    job = await customer.until(await customer.broken_pdf(OTHER_DOCUMENT), "ERROR")
    async with running(sys.executable, customer.file("job_monitor.py")) as monitor:
        assert await monitor.ends() == 0
        await monitor.says(re.escape(job["error"]))


@sources
@pytest.mark.needs("node")
async def test_the_dashboard_counts_jobs_and_tells_their_changes(customer: Customer) -> None:
    await customer.until(await customer.broken_pdf("another"), "ERROR")
    async with no_slot_free(customer.system) as release:
        job_id = await customer.pdf(DOCUMENT)
        async with running("node", customer.file("job_dashboard.js")) as dashboard:
            await dashboard.says(r"Total: 2\s+Pending: 1\s+In Progress: 0\s+Completed: 0\s+Errors: 1")
            await release()
            await dashboard.says(rf"{job_id}\b.*\bPENDING to DONE|{job_id}\b.*\bIN_PROGRESS to DONE")
            await dashboard.says(r"Completed: 1\s+Errors: 1")


@sources
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
async def test_the_retry_script_has_failed_extractions_done_again(customer: Customer) -> None:
    failed = await customer.until(await customer.broken_pdf(DOCUMENT), "ERROR")
    generation = await customer.create("transformer", text="A text.", template="NoSuchTemplate", target_id="elsewhere")
    await customer.until(generation, "ERROR")
    async with bash(customer, "retry_failed.sh") as script:
        await script.says(r"5 minutes")
        assert failed["id"] in script.said
        assert generation in script.said
        assert f"Type: EXTRACTION, Target: {DOCUMENT}" in script.said
    again = [job for job in await customer.jobs(targetId=DOCUMENT) if job["id"] != failed["id"]]
    assert [(job["type"], job["targetId"]) for job in again] == [("EXTRACTION", DOCUMENT)]
    assert again[0]["id"] in script.said, "the answer to the request is the new job"
    assert len(await customer.jobs(targetId="elsewhere")) == 1


HANDLERS = """
const { app, listen } = require("%s");
const handleJobComplete = (targetId, type, metadata) =>
  console.log("complete", JSON.stringify([targetId, type, metadata]));
const handleJobError = (jobId, error) => console.log("error", JSON.stringify([jobId, error]));
%s
listen();
"""


@sources
@pytest.mark.needs("node")
async def test_the_webhook_handler_is_told_of_each_change_and_of_what_went_wrong(customer: Customer) -> None:
    program = customer.file("webhook_handler.js")
    program.write_text(HANDLERS % (OURS / "web_framework.js", program.read_text("utf-8")), encoding="utf-8")
    async with running("node", program) as handler:
        await handler.says(r"listening on port \d+\.")
        port = re.findall(r"port (\d+)", handler.said)[0]
        endpoint = {"url": f"http://127.0.0.1:{port}/webhook/job-status"}
        reply = await customer.system.client.post("/v1/webhooks", json=endpoint, headers=customer.headers)
        assert reply.status_code == 200, reply.text
        done, broken = await customer.pdf(DOCUMENT), await customer.broken_pdf(OTHER_DOCUMENT)
        failed = await customer.until(broken, "ERROR")
        await handler.says(rf'complete \["{DOCUMENT}","EXTRACTION",{{.*"pageCount":2')
        await handler.says(re.escape(f"error {json.dumps([broken, failed['error']], separators=(',', ':'))}"))
        for job_id in (done, broken):
            for status in ("PENDING", "IN_PROGRESS"):
                await handler.says(rf"{job_id}\b.*\b{status}")
