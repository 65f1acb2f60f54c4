"""An eraser over an upload that a job uses, and what requests write that use it too."""

import json
from collections.abc import Awaitable, Callable, Sequence

from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs
from schemas.events import Event, JobErased
from schemas.topics import JOB_EVENTS
from tests.support.files.timed_blobs import TimedBlobs
from tests.support.histories.jobs import fact
from tests.support.runs.erasing import Erasing, put
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

GIVEN = {"filename": "upload://file-1/a.pdf"}
UPLOAD = "uploads/acme/file-1/a.pdf"


def play(story: Callable[[Erasing], Awaitable[None]]) -> None:
    loop = VirtualLoop()

    async def run() -> None:
        blobs = AsyncBlobs(TimedBlobs(loop.clock))
        put(blobs, UPLOAD)
        erasing = Erasing(blobs)
        await request(erasing, "job-1")
        await erasing.created("job-1")
        await story(erasing)
        await erasing.stop()
        blobs.close()

    run_virtually(run(), loop)


async def request(erasing: Erasing, job_id: str) -> None:
    """What a POST writes before the job's creation."""
    erasing.blobs.sync.put(f"{job_id}/in", json.dumps({"job_type": "pdf", "parameters": GIVEN}).encode())
    for use in uploads.uses_by("acme", job_id, GIVEN):
        await erasing.blobs.mark(use)


async def upload_is_kept(erasing: Erasing) -> bool:
    return await erasing.blobs.names(uploads.FOLDER) == (UPLOAD,)


async def batch(erasing: Erasing, *facts: Event) -> None:
    """What a POST of a batch writes before its record, and the facts that the log has of it."""
    specs = json.dumps([{"job_type": "pdf", "parameters": GIVEN}]).encode()
    erasing.blobs.sync.put_named("batch-1/specs/s", specs, "application/json")
    for use in uploads.uses_by("acme", "batch-1", GIVEN):
        await erasing.blobs.mark(use)
    for one in facts:
        await erasing.log.append(JOB_EVENTS, fact("batch-1", one))


async def erase_all(erasing: Erasing, jobs: Sequence[str]) -> None:
    """The jobs are erased at one time."""
    for job_id in jobs:
        await erasing.log.append(JOB_EVENTS, fact(job_id, JobErased(by="acme")))
    for job_id in jobs:
        erasing.erase(job_id)
