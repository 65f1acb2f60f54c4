"""Outputs of runs that lost: deleted; the output of the run that counts stays."""

from dataclasses import replace

import pytest

from piperoll.domain.job import Job, Status
from piperoll.store.blobs import AsyncBlobs
from services.worker.cleanup.erasure import losing
from tests.support.runs.erasing import ENDED, Erasing, put

DETAILS = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("status", "kept"), [(Status.COMPLETED, {"run-2"}), (Status.FAILED, set()), (Status.CANCELLED, set())]
)
def test_of_an_ended_job_only_the_run_that_counts_keeps_its_output(status: Status, kept: set[str]) -> None:
    job = replace(ENDED, status=status)
    runs = [f"job-1/{run}/{name}" for run in ("run-1", "run-2", "run-3") for name in ("result.json", "images/a.jpg")]
    always = ["job-1/in/abc", "job-1/cache/acme/k1", f"job-1/run-1/{DETAILS}", f"job-1/run-2/{DETAILS}"]
    lost = set(losing(job, [*runs, *always]))
    assert lost == {uri for uri in runs if uri.split("/")[1] not in kept}


@pytest.mark.parametrize(
    ("job", "tidied"),
    [
        (ENDED, True),
        (replace(ENDED, attempt=1, run="run-1"), False),
        (replace(ENDED, attempt=1, status=Status.FAILED), True),
        (replace(ENDED, attempt=0, run=None, status=Status.CANCELLED), False),
    ],
)
async def test_a_job_is_tidied_when_a_run_may_have_lost(
    blobs: AsyncBlobs, erasing: Erasing, job: Job, tidied: bool
) -> None:
    put(blobs, "job-1/lost/result.json", "job-2/run/result.json")
    erasing.eraser.tidy(job)
    erasing.erase("job-2")
    await erasing.gone("job-2")
    if tidied:
        await erasing.gone("job-1")
    else:
        assert await blobs.names("job-1")
