"""Batches and their members in the tables."""

import asyncio

from schemas.events import BatchCreated
from schemas.ids import member_id
from tests.support.histories.jobs import (
    OWNER,
    claim,
    created,
    fact,
    laid_out,
    record,
)
from tests.support.projector.tables import PARTITIONS, Projecting, Projectors, polls
from tests.support.waiting import PATIENCE_S


async def test_a_batch_and_each_of_its_members_are_there_before_any_worker_saw_them(projecting: Projecting) -> None:
    whole = await projecting.batch_created(count=500)
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    (batch,) = await projecting.rows("batches", "batch_id")
    assert (batch["batch_id"], batch["count"], batch["owner"]) == (whole.subject, 500, OWNER)
    members = await projecting.rows("jobs", "batch_index")
    assert [row["job_id"] for row in members] == [member_id(whole.subject, index) for index in range(500)]
    assert {(row["status"], row["sequence"], row["created"], row["job_type"]) for row in members} == {
        ("pending", 0, False, "pdf")
    }
    assert members[7]["user_id"] == "user-7"


async def test_a_member_keeps_its_place_when_it_is_created(projecting: Projecting) -> None:
    whole = await projecting.batch_created(count=2)
    job_id = member_id(whole.subject, 1)
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    await projecting.jobs.handle(1, [record(fact(job_id, created(whole.subject), 1), 1, 0)])
    row = await projecting.job(job_id)
    assert (row["batch_id"], row["batch_index"], row["sequence"], row["created"]) == (whole.subject, 1, 1, True)


async def test_members_of_erased_specs_are_there_without_details(projecting: Projecting) -> None:
    whole = fact("batch-erased", BatchCreated(count=1, specs=claim("gone/in/x"), body_sha256="0" * 64))
    await projecting.jobs.handle(0, [record(whole, 0, 0)])
    row = await projecting.job(member_id("batch-erased", 0))
    assert (row["status"], row["job_type"]) == ("pending", "")


async def test_projectors_that_announce_into_each_others_partitions_do_not_block_each_other(
    projectors: Projectors,
) -> None:
    first = await projectors.make()
    others = [first, *[await projectors.make(first.schema) for _ in range(PARTITIONS - 1)]]
    batches = [await first.batch_created(count=300) for _ in range(6)]
    members = [fact(member_id(one.subject, index), created(one.subject), 1) for one in batches for index in range(300)]
    log = laid_out([fact for pair in zip(batches, batches, strict=True) for fact in pair] + members, PARTITIONS)

    async def run(partition: int, projecting: Projecting) -> None:
        for poll in polls(log[partition], range(50, len(log[partition]), 50)):
            await projecting.jobs.handle(partition, poll)

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(run(partition, each) for partition, each in enumerate(others)))
    found = await first.rows("jobs", "job_id")
    assert len(found) == 1800
    assert all(row["created"] and row["batch_index"] is not None for row in found)
