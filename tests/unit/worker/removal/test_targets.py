"""Jobs that have a removed document or folder as their target alone: erased with it, whoever dies meanwhile."""

from uuid import UUID

import pytest

from piperoll.store import targets
from piperoll.store.blobs import AsyncBlobs
from schemas.events import DocumentRemoved, FolderRemoved
from tests.support.runs.removing import OWNER, Removing
from tests.support.waiting import wait_until

DOCUMENT, FOLDER = f"doc-{UUID(int=1)}", f"folder-{UUID(int=2)}"
REMOVALS = {DOCUMENT: DocumentRemoved(by=OWNER), FOLDER: FolderRemoved(by=OWNER)}


def given(target_id: str, job_type: str = "embedding") -> dict[str, object]:
    """A job's stored parameters."""
    return {"job_type": job_type, "parameters": {"filename": "/in/a.pdf", "target_id": target_id}}


@pytest.mark.parametrize("subject", REMOVALS)
async def test_they_are_erased_although_the_api_died_after_the_removal(
    removing: Removing, blobs: AsyncBlobs, subject: str
) -> None:
    assert not await targets.note(blobs, OWNER, "job-1", subject)
    await targets.note(blobs, OWNER, "job-2", f"doc-{UUID(int=3)}")
    await targets.note(blobs, "another", "job-3", subject)
    await removing.start()
    await removing.append(subject, REMOVALS[subject])

    async def erased() -> bool:
        return await removing.erased() == ["job-1"]

    await wait_until(erased, 5, "the job to be erased")
    await removing.settled()
    assert await targets.note(blobs, OWNER, "job-late", subject), "a later writer sees the removal"
    assert {mark.rpartition("/")[2] for mark in await blobs.names(targets.TARGETS)} == {"job-2", "job-3", "job-late"}


@pytest.mark.parametrize(
    ("target_id", "job_type", "expected"),
    [
        (DOCUMENT, "noop", DOCUMENT),
        (FOLDER, "embedding", FOLDER),
        (FOLDER, "extraction", None),
        ("my own label", "extraction", None),
        (f"{DOCUMENT}/../..", "extraction", None),
        (f"job{DOCUMENT.removeprefix('doc')}", "extraction", None),
    ],
)
def test_a_target_counts_if_its_removal_erases_the_job(target_id: str, job_type: str, expected: str | None) -> None:
    assert targets.target_of(given(target_id, job_type)) == expected


def test_a_job_that_names_the_document_too_is_noted_once() -> None:
    resolved = {"kind": "document", "document_id": DOCUMENT}
    assert targets.target_of({**given(DOCUMENT), "resolved": resolved}) is None
