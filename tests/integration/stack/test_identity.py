"""A stack whose stores stop belonging together: what its processes do, and what makes it work again."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from piperoll.embedded.stack import SERVICES, Stack, StackOptions
from piperoll.store.marker import MARKER
from tests.support.clients.commands import piperoll
from tests.support.waiting import wait_until

LIMIT_S = 60.0
NOOP = {"job_type": "noop", "parameters": {}}
OPTIONS = StackOptions(extra_env={"PIPEROLL_ENABLE_NOOP": "true", "PIPEROLL_SLOTS": "1"})


@dataclass
class Running:
    """A running stack, and its API."""

    stack: Stack
    client: httpx.AsyncClient

    @property
    def blobs(self) -> Path:
        return self.stack.data_dir / "blobs"

    async def run_job(self) -> str:
        reply = await self.client.post("/api/jobs", json=NOOP)
        assert reply.status_code == 200, reply.text
        job_id = str(reply.json()["data"]["job_id"])
        await wait_until(lambda: self.has_completed(job_id), LIMIT_S, "the job to complete")
        return job_id

    async def has_completed(self, job_id: str) -> bool:
        reply = await self.client.get(f"/api/jobs/{job_id}")
        return reply.status_code == 200 and reply.json()["data"]["status"] == "completed"

    def logged(self, service: str) -> str:
        return (self.stack.data_dir / "logs" / f"{service}.log").read_text()

    async def statement(self, sql: str) -> None:
        connection = await asyncpg.connect(self.stack.environment["PIPEROLL_POSTGRES_DSN"])
        await connection.execute(sql)
        await connection.close()

    @asynccontextmanager
    async def without_services(self) -> AsyncIterator[None]:
        await asyncio.gather(*(self.stack.stop_service(name) for name in SERVICES))
        try:
            yield
        finally:
            for name in SERVICES:
                await self.stack.start_service(name)
            await self.stack.wait_ready(LIMIT_S)


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[Running]:
    async with Stack(data_dir, OPTIONS) as stack:
        await stack.wait_ready(LIMIT_S)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=70) as client:
            yield Running(stack, client)


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("identity")) as started:
        yield started


async def test_the_data_of_a_release_without_markers_is_adopted_at_the_first_start(system: Running) -> None:
    job_id = await system.run_job()
    async with system.without_services():
        (system.blobs / MARKER).unlink()
        await system.statement("DROP TABLE read_v1.installation, notifier.installation")
    assert (system.blobs / MARKER).exists()
    assert await system.has_completed(job_id)
    await system.run_job()
    sound = await piperoll("doctor", folder=system.stack.data_dir)
    assert "ok    installation" in sound.out
    assert "read_v1, notifier" in sound.out


async def test_a_blob_volume_that_is_not_mounted_stops_every_service_until_it_is(system: Running) -> None:
    job_id = await system.run_job()
    async with system.without_services():
        mounted = system.blobs.rename(system.stack.data_dir / "unmounted")
        system.blobs.mkdir()
        for name in SERVICES:
            before = system.logged(name).count("mount its volume")
            await system.stack.start_service(name)
            await wait_until(
                lambda name=name, before=before: system.logged(name).count("mount its volume") > before,  # type: ignore[misc]
                LIMIT_S,
                f"{name} to refuse",
            )
            await system.stack.stop_service(name)
        broken = await piperoll("doctor", folder=system.stack.data_dir)
        assert "fail  installation" in broken.out
        assert list(system.blobs.iterdir()) == []
        system.blobs.rmdir()
        mounted.rename(system.blobs)
    assert await system.has_completed(job_id)


async def test_a_blob_volume_that_is_unmounted_under_the_services_is_away_and_loses_nothing(system: Running) -> None:
    job_id = await system.run_job()
    mounted = system.blobs.rename(system.stack.data_dir / "unmounted")
    system.blobs.mkdir()
    read = await system.client.get(f"/api/jobs/{job_id}")
    uploaded = await system.client.post("/api/files", files={"file": ("a.txt", b"a")})
    assert (read.status_code, uploaded.status_code) == (503, 503)
    assert (await system.client.delete(f"/api/jobs/{job_id}")).status_code in (200, 202)
    assert list(system.blobs.iterdir()) == []
    system.blobs.rmdir()
    mounted.rename(system.blobs)
    await wait_until(lambda: not (system.blobs / job_id).exists(), LIMIT_S, "the erasure to be carried out")
    await system.run_job()


async def test_tables_of_another_installation_stop_the_services_that_use_them(system: Running) -> None:
    async with system.without_services():
        await system.statement("UPDATE read_v1.installation SET id = 'theirs'")
        for name in ("projector", "api"):
            await system.stack.start_service(name)
            await wait_until(
                lambda name=name: "belong to the installation theirs" in system.logged(name),  # type: ignore[misc]
                LIMIT_S,
                f"{name} to refuse",
            )
            await system.stack.stop_service(name)
        refused = await piperoll("rebuild", folder=system.stack.data_dir)
        assert refused.code == 1
        assert "belong to the installation theirs" in refused.err
        planned = await piperoll("adopt", folder=system.stack.data_dir)
        assert (planned.code, "write a new marker" in planned.out) == (1, True), planned
        adopted = await piperoll("adopt", "--yes", folder=system.stack.data_dir)
        assert adopted.code == 0, adopted
    await system.run_job()


async def test_a_data_folder_whose_log_was_lost_is_refused_until_it_is_adopted(tmp_path: Path) -> None:
    data_dir = tmp_path / "stack"
    async with running(data_dir) as first:
        job_id = await first.run_job()
        kept = sorted(path.name for path in (first.blobs / job_id).rglob("*"))
    shutil.rmtree(data_dir / "kafka")
    async with Stack(data_dir, OPTIONS) as stack:
        for name in SERVICES:
            log = data_dir / "logs" / f"{name}.log"
            await wait_until(
                lambda log=log: "belongs to the Kafka cluster" in log.read_text(),  # type: ignore[misc]
                LIMIT_S,
                f"{name} to refuse",
            )
        assert stack.api_url
    adopted = await piperoll("adopt", "--yes", folder=data_dir)
    assert adopted.code == 0, adopted
    assert "drop the schema notifier" in adopted.out
    assert "piperoll rebuild" in adopted.out
    async with Stack(data_dir, StackOptions(services=())):
        rebuilt = await piperoll("rebuild", folder=data_dir)
        assert rebuilt.code == 0, rebuilt
    async with running(data_dir) as again:
        await again.run_job()
        assert sorted(path.name for path in (again.blobs / job_id).rglob("*")) == kept
