"""Uploads of erased jobs: kept for jobs that the log has, and for nothing else."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from piperoll.log.record import Record
from piperoll.store.uploads import ARRIVAL_S
from schemas.envelope import encode
from schemas.events import JobErased
from schemas.topics import JOB_EVENTS
from services.worker.cleanup import use_search
from tests.support.histories.jobs import fact
from tests.support.runs.erasing import Erasing, put
from tests.support.runs.uploading import erase_all, play, request, upload_is_kept


def test_a_request_that_never_became_a_job_does_not_keep_an_erased_job_s_upload() -> None:
    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-never")  # 503: the append was not acknowledged
        put(erasing.blobs, "job-1/run-1/result.json")
        erasing.erase("job-1")
        await asyncio.sleep(ARRIVAL_S - 1)
        assert await upload_is_kept(erasing), "the append may still arrive"
        assert not await erasing.blobs.names("job-1/run-1"), "all else is deleted at once"
        assert not erasing.backlog.erased["job-1"].done
        await asyncio.sleep(ARRIVAL_S)
        assert not await upload_is_kept(erasing)
        assert await erasing.blobs.names("job-1") == ()
        assert await erasing.blobs.names("uses") == ()
        assert erasing.backlog.erased["job-1"].done

    play(story)


def test_a_job_that_ended_long_ago_keeps_its_upload() -> None:
    """Its worker has forgotten it: the log is searched."""

    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-2")
        await erasing.created("job-2")
        erasing.erase("job-1")
        await asyncio.sleep(1)
        assert erasing.backlog.erased["job-1"].done
        assert await upload_is_kept(erasing)

    play(story)


def test_the_mark_of_another_erased_job_does_not_keep_the_upload() -> None:
    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-2")
        await erasing.created("job-2")
        await erasing.log.append(JOB_EVENTS, fact("job-2", JobErased(by="acme")))
        erasing.erase("job-1")
        await asyncio.sleep(3 * ARRIVAL_S)
        assert not await upload_is_kept(erasing)

    play(story)


def test_an_upload_of_jobs_that_are_erased_together_goes_at_once() -> None:
    async def story(erasing: Erasing) -> None:
        jobs = [f"job-{number}" for number in range(1, 6)]
        for job_id in jobs[1:]:
            await request(erasing, job_id)
            await erasing.created(job_id)
        for job_id in jobs:
            await erasing.log.append(JOB_EVENTS, fact(job_id, JobErased(by="acme")))
            erasing.erase(job_id)
        await asyncio.sleep(ARRIVAL_S / 10)
        assert not await upload_is_kept(erasing)
        assert all(erasing.backlog.erased[job_id].done for job_id in jobs)

    play(story)


def test_a_foreign_record_that_looks_like_an_erasure_does_not_cost_a_job_its_upload() -> None:
    async def story(erasing: Erasing) -> None:
        await request(erasing, "job-2")
        await erasing.created("job-2")
        key, value, headers = encode(fact("job-2", JobErased(by="acme"), 2))
        await erasing.log.append_raw(JOB_EVENTS, key, value, [pair for pair in headers if pair[0] != "ce_id"])
        erasing.erase("job-1")
        await asyncio.sleep(3 * ARRIVAL_S)
        assert await upload_is_kept(erasing)

    play(story)


def test_jobs_that_are_erased_together_after_another_one_take_their_upload_with_them() -> None:
    """At the erasure of the first one the log had them unerased."""

    async def story(erasing: Erasing) -> None:
        jobs = ["job-2", "job-3"]
        for job_id in jobs:
            await request(erasing, job_id)
            await erasing.created(job_id)
        erasing.erase("job-1")
        await asyncio.sleep(1)
        assert await upload_is_kept(erasing)
        await erase_all(erasing, jobs)
        await asyncio.sleep(1)
        assert not await upload_is_kept(erasing)

    play(story)


def counted_reads(erasing: Erasing, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """The records that are read from now on."""
    read: list[Record] = []
    search = erasing.log.scan

    async def counted(*args: Any) -> AsyncGenerator[list[Record], None]:
        async for records in search(*args):
            read.extend(records)
            yield records

    monkeypatch.setattr(erasing.log, "scan", counted)
    return read


@pytest.mark.parametrize("remembered", [3, 10_000])
def test_the_log_is_read_once_for_many_erasures(monkeypatch: pytest.MonkeyPatch, remembered: int) -> None:
    """Of later ones only what was appended since, also with more users than are remembered otherwise."""
    monkeypatch.setattr(use_search, "REMEMBERED", remembered)

    async def story(erasing: Erasing) -> None:
        jobs = [f"job-{number}" for number in range(2, 12)]
        for job_id in jobs:
            await request(erasing, job_id)
            await erasing.created(job_id)
        read = counted_reads(erasing, monkeypatch)
        erased = ["job-1", *jobs[:5]]
        for job_id in erased:
            await erase_all(erasing, [job_id])
            await asyncio.sleep(1)
        assert await upload_is_kept(erasing)
        positions = [record.position for record in read]
        assert len(positions) == len(set(positions)) == len(jobs) + 1 + len(erased)

    play(story)


def test_the_log_is_not_searched_for_new_users_while_an_old_one_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(erasing: Erasing) -> None:
        for job_id in ("job-2", "job-3"):
            await request(erasing, job_id)
            await erasing.created(job_id)
        await erase_all(erasing, ["job-1"])
        await asyncio.sleep(1)
        searched = await erasing.log.end_offsets(JOB_EVENTS)
        await request(erasing, "job-4")
        await erasing.created("job-4")
        read = counted_reads(erasing, monkeypatch)
        await erase_all(erasing, ["job-2"])
        await asyncio.sleep(1)
        assert read
        assert all(record.offset >= searched[record.partition] for record in read)
        await erase_all(erasing, ["job-3"])
        await asyncio.sleep(1)
        assert await upload_is_kept(erasing), "job-4 uses it"
        await erase_all(erasing, ["job-4"])
        await asyncio.sleep(1)
        assert not await upload_is_kept(erasing)

    play(story)
