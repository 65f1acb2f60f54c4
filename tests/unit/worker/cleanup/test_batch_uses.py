"""Uploads of batches: kept until the members have markers of their own, and erased with the last of them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from piperoll.log.record import Record
from piperoll.store.uploads import ARRIVAL_S
from schemas.events import BatchErased, BatchExpanded, Event, JobCancelled, JobErased
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS
from services.worker.cleanup.erasure import SPECS_GRACE_S
from tests.support.histories.jobs import fact
from tests.support.histories.lives import BATCH
from tests.support.runs.erasing import Erasing, put
from tests.support.runs.uploading import UPLOAD, batch, play, request, upload_is_kept
from tests.support.simulation.virtual_time import TINY_S

MEMBER = member_id("batch-1", 0)


def test_a_batch_that_is_not_expanded_keeps_the_upload_of_an_erased_job() -> None:
    async def story(erasing: Erasing) -> None:
        await batch(erasing, BATCH)
        erasing.erase("job-1")
        await asyncio.sleep(3 * ARRIVAL_S)
        assert erasing.backlog.erased["job-1"].done
        assert await upload_is_kept(erasing)

    play(story)


@pytest.mark.parametrize("facts", [[BATCH, BatchExpanded(count=1)], []])
def test_the_marker_of_an_expanded_or_failed_batch_keeps_no_upload(facts: list[Event]) -> None:
    async def story(erasing: Erasing) -> None:
        await batch(erasing, *facts)
        erasing.eraser._uses._knows = lambda one: one == "batch-1" and bool(facts)  # its worker has it as ended
        erasing.erase("job-1")
        await asyncio.sleep(2 * ARRIVAL_S)
        assert not await upload_is_kept(erasing)

    play(story)


@pytest.mark.parametrize("erased_first", [False, True])
def test_an_upload_stays_after_the_expansion_for_the_members_that_are_not_erased(erased_first: bool) -> None:
    async def story(erasing: Erasing) -> None:
        await batch(erasing, BATCH, BatchExpanded(count=1))
        if erased_first:
            erasing.erase("job-1")
            await asyncio.sleep(1)
        erasing.eraser.drop_specs("batch-1", "acme")
        await asyncio.sleep(2 * SPECS_GRACE_S)
        assert await erasing.blobs.names("uses") == (() if erased_first else ("uses/acme/file-1/job-1",))
        assert await upload_is_kept(erasing) is not erased_first
        assert await erasing.blobs.names("batch-1") == ()

    play(story)


def test_an_erased_batch_that_was_not_expanded_takes_its_uploads_with_it() -> None:
    async def story(erasing: Erasing) -> None:
        await batch(erasing, BATCH, BatchErased(by="acme"))
        erasing.erase("batch-1")
        await asyncio.sleep(1)
        assert erasing.backlog.erased["batch-1"].done
        assert await upload_is_kept(erasing), "a job uses it too"
        assert await erasing.blobs.names("uses") == ("uses/acme/file-1/job-1",)
        erasing.erase("job-1")
        await asyncio.sleep(1)
        assert await erasing.blobs.names("") == ()

    play(story)


def test_an_expanded_batch_costs_no_search_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """The markers of its members decide."""

    async def story(erasing: Erasing) -> None:
        def scan(*_: object) -> None:
            raise AssertionError("the log is searched")

        await batch(erasing, BATCH, BatchExpanded(count=1))
        await request(erasing, MEMBER)
        await erasing.created(MEMBER)
        monkeypatch.setattr(erasing.log, "scan", scan)
        erasing.eraser.drop_specs("batch-1", "acme")
        await asyncio.sleep(2 * SPECS_GRACE_S)
        assert await erasing.blobs.names("batch-1") == ()
        assert await upload_is_kept(erasing)

    play(story)


@pytest.mark.parametrize("failed_too", [False, True])
def test_an_upload_goes_although_its_batch_is_expanded_while_the_log_is_searched(
    monkeypatch: pytest.MonkeyPatch, failed_too: bool
) -> None:
    """The job sees the batch unexpanded, and leaves the upload to it."""

    async def story(erasing: Erasing) -> None:
        await batch(erasing, BATCH)
        if failed_too:
            await request(erasing, "job-never")
        search = erasing.log.scan

        async def slow(*args: Any) -> AsyncGenerator[list[Record], None]:
            found = [records async for records in search(*args)]
            await asyncio.sleep(5 * SPECS_GRACE_S)
            for records in found:
                yield records

        with monkeypatch.context() as patched:
            patched.setattr(erasing.log, "scan", slow)
            await erasing.log.append(JOB_EVENTS, fact("job-1", JobErased(by="acme")))
            erasing.erase("job-1")
            await asyncio.sleep(1)
            await erasing.log.append(JOB_EVENTS, fact("batch-1", BatchExpanded(count=1), 1))
            erasing.eraser.drop_specs("batch-1", "acme")
            await asyncio.sleep(2 * ARRIVAL_S)
        assert erasing.backlog.erased["job-1"].done
        assert not await upload_is_kept(erasing)

    play(story)


def test_a_member_that_is_erased_while_the_specs_are_dropped_takes_the_upload_with_it() -> None:
    async def story(erasing: Erasing) -> None:
        await erasing.log.append(JOB_EVENTS, fact("job-1", JobErased(by="acme")))
        erasing.erase("job-1")
        await asyncio.sleep(1)
        put(erasing.blobs, UPLOAD)
        await batch(erasing, BATCH, BatchExpanded(count=1))
        await request(erasing, MEMBER)
        await erasing.created(MEMBER)
        erasing.eraser.drop_specs("batch-1", "acme")
        await asyncio.sleep(SPECS_GRACE_S - TINY_S)
        await erasing.log.append(JOB_EVENTS, fact(MEMBER, JobErased(by="acme")))
        erasing.erase(MEMBER)
        await asyncio.sleep(1)
        assert await erasing.blobs.names("") == ()

    play(story)


def test_an_upload_stays_for_a_member_that_has_no_marker_of_it() -> None:
    """It was cancelled, since it could not be created: its client may post it again."""

    async def story(erasing: Erasing) -> None:
        erasing.erase("job-1")
        await asyncio.sleep(1)
        put(erasing.blobs, UPLOAD)
        await batch(erasing, BATCH, BatchExpanded(count=1))
        await erasing.log.append(JOB_EVENTS, fact(MEMBER, JobCancelled(by="acme", reason="SPECIFICATIONS_LOST")))
        erasing.eraser.drop_specs("batch-1", "acme")
        await asyncio.sleep(2 * SPECS_GRACE_S)
        assert await upload_is_kept(erasing)
        assert await erasing.blobs.names("batch-1") == await erasing.blobs.names("uses") == ()

    play(story)
