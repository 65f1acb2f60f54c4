"""Sweeps while an erasure waits: they leave it what it needs, and hand it what they find."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from piperoll.store.blobs import BlobMissingError
from piperoll.store.uploads import ARRIVAL_S
from schemas.claims import Claim
from schemas.events import BatchExpanded, JobErased
from schemas.ids import member_id
from services.worker.cleanup.erasure import SPECS_GRACE_S
from tests.support.histories.jobs import created
from tests.support.histories.lives import BATCH
from tests.support.runs.erasing import eraser_over
from tests.support.runs.sweeping import HOUR_S, Sweeping, sweeping
from tests.support.simulation.virtual_time import EPOCH

GIVEN = json.dumps({"job_type": "pdf", "parameters": {"filename": "upload://file-1/a.pdf"}}).encode()
FAILED = "uses/acme/file-1/job-never"


async def is_left(one: Sweeping, uri: str) -> bool:
    try:
        return bool(await one.blobs.get(uri))
    except BlobMissingError:
        return False


def erasing(tmp_path: Path, story: Callable[[Sweeping, str], Awaitable[None]]) -> None:
    """A job with an upload, whose parameters are in a segment, beside an eraser that works."""

    async def play(one: Sweeping) -> None:
        one.broker_off = one.local_off = one.store_off = datetime.now(UTC) - EPOCH  # as in the name of a segment
        one.put("uploads/acme/file-1/a.pdf", "uses/acme/file-1/job-1")
        mine = one.small("job-1", GIVEN)
        await asyncio.sleep(3 * HOUR_S)
        await one.append("job-1", created())
        one.eraser = eraser_over(one.blobs, ended, one.log)
        stopping = asyncio.Event()
        working = asyncio.create_task(one.eraser.run(stopping))
        await story(one, mine)
        stopping.set()
        await working

    sweeping(tmp_path, play)


async def ended(job_id: str) -> None:
    """No child runs the job."""


def test_a_sweep_leaves_an_erasure_that_waits_its_parameters(tmp_path: Path) -> None:
    async def story(one: Sweeping, mine: str) -> None:
        await one.blobs.mark(FAILED)
        claim = Claim(uri=mine, sha256="0" * 64, size=len(GIVEN))
        await one.append("job-1", JobErased(by="acme", parameters=claim))
        for _ in range(2):
            plan = await one.once()
            assert [one.reason for one in plan.doomed] == ["erased"]
            await asyncio.sleep(1)
            assert await is_left(one, mine)
        assert one.names("uploads")
        one.set_time(FAILED, datetime.now(UTC) - timedelta(seconds=ARRIVAL_S))
        await asyncio.sleep(ARRIVAL_S)
        assert not await is_left(one, mine)
        assert not one.names("u")
        assert one.knowledge.backlogs()[0].erased["job-1"].done

    erasing(tmp_path, story)


def test_a_sweep_does_not_count_what_an_erasure_that_waits_keeps(tmp_path: Path) -> None:
    async def story(one: Sweeping, mine: str) -> None:
        await one.blobs.mark(FAILED)
        claim = Claim(uri=mine, sha256="0" * 64, size=len(GIVEN))
        await one.append("job-1", JobErased(by="acme", parameters=claim))
        for _ in range(2):
            plan = await one.plan()
            assert [one.reason for one in plan.doomed] == ["erased"]
            assert (await one.sweep.carry_out(plan, asyncio.Event())).total() == 0
            await asyncio.sleep(1)

    erasing(tmp_path, story)


def test_parameters_that_an_erasure_does_not_name_are_erased_with_their_upload(tmp_path: Path) -> None:
    """Of a job that had ended, by a writer that did not know them."""

    async def story(one: Sweeping, mine: str) -> None:
        another = one.small("job-1", GIVEN)
        await one.append("job-1", JobErased(by="acme"))
        await one.once()
        await asyncio.sleep(1)
        assert not await is_left(one, mine)
        assert not await is_left(one, another)
        assert not one.names("u")

    erasing(tmp_path, story)


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_upload_of_an_erased_member_goes_although_its_worker_ended_before_it_dropped_the_specs(
    tmp_path: Path, forgotten: bool
) -> None:
    """The upload was left to the batch when the member was erased."""
    upload, member = "uploads/acme/file-2/b.pdf", member_id("batch-1", 0)

    async def story(one: Sweeping, mine: str) -> None:
        one.put(upload, "uses/acme/file-2/batch-1")
        one.write("batch-1/specs/s", b"[" + GIVEN.replace(b"file-1", b"file-2") + b"]")
        await one.append("batch-1", BATCH)
        await one.append("batch-1", BatchExpanded(count=1))
        await one.append(member, created())
        await one.append(member, JobErased(by="acme"))
        await asyncio.sleep(20 * 24 * HOUR_S if forgotten else 2 * HOUR_S)
        await one.finished("job-2")
        if forgotten:
            await one.go_on(deep=True)
        else:
            await one.once()
        await asyncio.sleep(SPECS_GRACE_S + 1)
        assert one.names("batch-1") == one.names(upload) == one.names("uses/acme/file-2") == set()

    erasing(tmp_path, story)
