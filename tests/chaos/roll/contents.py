"""Whether what must be kept can be read: by clients, and in the store."""

from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from tests.chaos.roll.fleet import Fleet
from tests.chaos.roll.requests import Seen


async def lost_contents(running: Fleet, blobs: AsyncBlobs, seen: Seen) -> list[str]:
    """Sentences about ended jobs without parameters or results, and kept documents without text or file.

    The answers come from API processes that have just begun: others may still have the contents in memory.
    """
    await running.restart_all(["api"])
    lost = []
    for job_id in seen.jobs:
        job = (await running.system.client.get(f"/api/jobs/{job_id}")).json()["data"]
        lost += [f"{job_id} lost its {name}" for name in ("parameters", "results") if job.get(name) is None]
    for document_id in seen.kept:
        found = (await running.system.client.get(f"/v1/documents/{document_id}")).json()["data"]
        lost += [] if found.get("content") else [f"{document_id} lost its text"]
        names = await blobs.names(documents.folder_of(document_id))
        files = [uri for uri in names if uri.count("/") == documents.folder_of(document_id).count("/") + 1]
        lost += [] if len(files) == 1 else [f"{document_id} has the files {files}"]
    return lost
