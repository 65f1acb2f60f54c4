"""How long the erasure of an upload waits for a request that may have failed: by the time of its marker."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from piperoll.log.record import Record
from piperoll.store.uploads import ARRIVAL_S
from services.worker.cleanup import use_search
from tests.support.runs.erasing import Erasing
from tests.support.runs.uploading import erase_all, play, request, upload_is_kept

Search = Callable[..., AsyncGenerator[list[Record], None]]


def slow_scan(search: Search) -> Search:
    """Ends 10 s after it read the log."""

    async def slow(*args: Any) -> AsyncGenerator[list[Record], None]:
        async for records in search(*args):
            yield records
        await asyncio.sleep(10)

    return slow


def test_many_requests_that_never_became_jobs_keep_an_upload_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than a worker keeps in memory."""
    monkeypatch.setattr(use_search, "REMEMBERED", 2)

    async def story(erasing: Erasing) -> None:
        for number in range(5):
            await request(erasing, f"job-never-{number}")
        erasing.erase("job-1")
        await asyncio.sleep(ARRIVAL_S + 1)
        assert not await upload_is_kept(erasing)

    play(story)


def test_a_job_whose_creation_arrives_late_keeps_its_upload() -> None:
    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-late")
        erasing.erase("job-1")
        await asyncio.sleep(ARRIVAL_S / 2)
        await erasing.created("job-late")
        await asyncio.sleep(3 * ARRIVAL_S)
        assert await upload_is_kept(erasing)
        assert erasing.backlog.erased["job-1"].done

    play(story)


def test_jobs_erased_together_wait_for_a_failed_request_although_they_were_seen_unerased() -> None:
    async def story(erasing: Erasing) -> None:
        jobs = ["job-2", "job-3"]
        for job_id in jobs:
            await request(erasing, job_id)
            await erasing.created(job_id)
        erasing.erase("job-1")
        await asyncio.sleep(1)
        await request(erasing, "job-never")
        await erase_all(erasing, jobs)
        await asyncio.sleep(ARRIVAL_S - 1)
        assert await upload_is_kept(erasing)
        await asyncio.sleep(2)
        assert not await upload_is_kept(erasing)
        assert await erasing.blobs.names("uses") == ()

    play(story)


def test_a_wait_for_a_failed_request_goes_on_in_another_process() -> None:
    """It is counted from the time of the request's marker."""

    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-never")
        erasing.erase("job-1")
        await asyncio.sleep(ARRIVAL_S / 2)
        await erasing.restart()
        await asyncio.sleep(ARRIVAL_S / 2 - 1)
        assert await upload_is_kept(erasing)
        await asyncio.sleep(2)
        assert not await upload_is_kept(erasing)
        assert erasing.backlog.erased["job-1"].done

    play(story)


def test_a_request_that_failed_before_the_erasure_is_waited_for_no_longer() -> None:
    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-never")
        await asyncio.sleep(ARRIVAL_S)
        erasing.erase("job-1")
        await asyncio.sleep(1)
        assert not await upload_is_kept(erasing)

    play(story)


def test_a_creation_that_arrives_during_the_search_keeps_its_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its marker is old enough only when the search has ended."""

    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-late")
        monkeypatch.setattr(erasing.log, "scan", slow_scan(erasing.log.scan))
        await asyncio.sleep(ARRIVAL_S - 5)
        erasing.erase("job-1")
        await asyncio.sleep(2)
        await erasing.created("job-late")
        await asyncio.sleep(3 * ARRIVAL_S)
        assert await upload_is_kept(erasing)

    play(story)


@pytest.mark.parametrize("job_id", ["job-new", "job-repeated"])
def test_a_job_that_is_requested_and_created_during_the_search_keeps_its_upload(
    monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    """Also one whose first request failed long ago: its marker has the time of the second one."""

    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-repeated")
        monkeypatch.setattr(erasing.log, "scan", slow_scan(erasing.log.scan))
        await asyncio.sleep(ARRIVAL_S + 1)
        erasing.erase("job-1")
        await asyncio.sleep(5)
        await request(erasing, job_id)
        await erasing.created(job_id)
        await asyncio.sleep(3 * ARRIVAL_S)
        assert await upload_is_kept(erasing)
        assert f"uses/acme/file-1/{job_id}" in await erasing.blobs.names("uses")
        assert erasing.backlog.erased["job-1"].done

    play(story)
