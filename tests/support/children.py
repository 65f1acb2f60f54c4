"""Pools of real child processes for tests."""

import asyncio
import json
from contextlib import asynccontextmanager

import psutil

from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.ids import draw_job_id, draw_run
from services.worker.children.pool import ChildPool
from services.worker.children.protocol import Assignment
from tests.support.waiting import PATIENCE_S, wait_until


@asynccontextmanager
async def running_pool(tmp_path, size=1, **changed):
    settings = Settings(
        blob_url=f"file://{tmp_path}/blobs",
        work_dir=str(tmp_path / "work"),
        allow_private_sources="127.0.0.0/8",
        **{"files_roots": str(tmp_path), "job_memory_bytes": 512 * 1024**2, **changed},
    )
    pool = ChildPool(settings, size)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()
    assert list((tmp_path / "work").iterdir()) == []


def assignment(tmp_path, job_type="noop", timeout_s=PATIENCE_S, attempt=1, **parameters):
    document = json.dumps({"job_type": job_type, "parameters": parameters}).encode()
    claim = Blobs(f"file://{tmp_path}/blobs").put("inputs", document)
    return Assignment(
        job_id=draw_job_id(),
        run=draw_run(),
        owner="owner",
        job_type=job_type,
        parameters=claim,
        attempt=attempt,
        timeout_s=timeout_s,
    )


def ignore(progress):
    pass


def children():
    """The living child processes of this one that are children of a pool, by process id."""
    found = {}
    for process in psutil.Process().children():
        try:
            if "services.worker.children.main" in process.cmdline():
                found[process.pid] = process
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


async def until(condition, what):
    await wait_until(condition, PATIENCE_S, what)


async def started_on(pool, tmp_path, held):
    """A task that runs a job on the held document: it completes after the release, and not before."""
    return await started(pool, assignment(tmp_path, "pdf", url=held.url))


async def started(pool, given):
    """A task that runs the assignment, as soon as its child has reported progress."""
    progressed = asyncio.Event()
    task = asyncio.create_task(pool.run(given, lambda progress: progressed.set()))
    async with asyncio.timeout(PATIENCE_S):
        await progressed.wait()
    return task
