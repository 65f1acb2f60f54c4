"""Markers by which a removal finds jobs: kept as long as the job, those of failed requests are orphans."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from piperoll.store import document_paths as documents
from piperoll.store import targets
from schemas.events import JobErased
from services.worker.cleanup.sweep.evidence import knows
from tests.support.histories.jobs import created
from tests.support.runs.sweeping import HOUR_S, Sweeping, sweeping

DOCUMENT = f"doc-{UUID(int=1)}"
DAY_S = 24 * HOUR_S


def marks_of(job_id: str) -> set[str]:
    return {documents.job_mark(DOCUMENT, job_id), targets.mark_of("acme", DOCUMENT, job_id)}


def test_the_markers_of_failed_requests_go_and_those_of_jobs_stay(tmp_path: Path) -> None:
    """Also those of jobs that ended so long ago that no worker knows them."""

    async def story(one: Sweeping) -> None:
        for job_id in ("job-never", "job-ended", "job-open"):
            one.put(*marks_of(job_id))
        await one.finished("job-ended")
        await one.append("job-open", created())
        await one.go_on(DAY_S)
        assert marks_of("job-never") <= one.names(), "the creation may be on its way"
        await one.finished("job-at-last")
        await one.go_on(10 * DAY_S, deep=True)
        marks = one.names(documents.ABOUT) | one.names(targets.TARGETS)
        assert marks == marks_of("job-ended") | marks_of("job-open")

    sweeping(tmp_path, story)


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_markers_that_an_erasure_did_not_know_go_too(tmp_path: Path, forgotten: bool) -> None:
    async def story(one: Sweeping) -> None:
        await one.append("job-1", created())
        await one.append("job-1", JobErased(by="acme"))
        if forgotten:
            await one.once()
            one.knowledge.backlogs()[0].erased.clear()
            one.knowledge.backlogs()[0].ended.forget(one.loop.clock() + timedelta(days=9))
            assert not knows(one.knowledge.backlogs()[0], "job-1")
        one.put(*marks_of("job-1"))
        await one.once()
        assert bool(one.names(documents.ABOUT)) is forgotten
        await one.go_on(10 * DAY_S if forgotten else 0.0, deep=True)
        assert one.names(documents.ABOUT) == one.names(targets.TARGETS) == set()

    sweeping(tmp_path, story)
