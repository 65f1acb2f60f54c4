"""Batches that announce their members, and order of rows."""

from piperoll.domain.batch import Batch
from piperoll.domain.job import evolve
from piperoll.log.record import partition_of
from schemas.events import BatchCreated, JobCancelled, JobStarted
from schemas.ids import member_id
from services.projector.database.values import text
from services.projector.jobs import rows
from tests.support.histories.jobs import claim, created, fact
from tests.support.histories.projected import entries_of, one_by_one


def test_a_batch_is_announced_once_however_often_it_is_written() -> None:
    whole = BatchCreated(count=2, specs=claim("specs"), body_sha256="0" * 64)
    folded = one_by_one(entries_of([fact("batch-a", whole), fact("batch-a", whole, 1)], [0]))
    assert [batch.batch_id for batch in folded.announced] == ["batch-a"]


def test_members_are_announced_with_the_details_of_their_specs() -> None:
    batch = _batch(count=3)
    specs = [rows.MemberSpec(job_type="pdf", user_id="u", target_id="t"), rows.MemberSpec(job_type="noop")]
    first, second, third = rows.of_members(batch, specs, partitions=6)
    assert (first.job_type, first.user_id, first.target_id, first.batch_index) == ("pdf", "u", "t", 0)
    assert (second.job_type, second.batch_index) == ("noop", 1)
    assert (third.job_type, third.status, third.sequence, third.state) == ("", "pending", rows.WITHOUT_FACTS, None)
    assert first.job_id == member_id(batch.batch_id, 0)
    assert first.partition == partition_of(first.job_id, 6)


def test_members_of_erased_specs_are_announced_without_details() -> None:
    found = rows.of_members(_batch(count=2), None, partitions=6)
    assert [(row.job_type, row.created) for row in found] == [("", False), ("", False)]


def test_a_member_announced_and_created_at_once_has_the_fold_and_its_place() -> None:
    batch = _batch(count=1)
    (announced,) = rows.of_members(batch, [rows.MemberSpec(job_type="pdf")], partitions=1)
    job = evolve(None, fact(announced.job_id, created(batch.batch_id), 5))
    assert job is not None
    (row,) = rows.merge([rows.of_job(job, 0)], [announced])
    assert (row.batch_index, row.batch_id, row.sequence, row.job_type) == (0, batch.batch_id, 1, "noop")


def test_a_member_ended_before_its_creation_keeps_the_values_of_the_announcement() -> None:
    batch = _batch(count=1)
    (announced,) = rows.of_members(batch, [rows.MemberSpec(job_type="pdf", user_id="u")], partitions=1)
    stub = evolve(None, fact(announced.job_id, JobCancelled(by="acme"), 5))
    assert stub is not None
    (row,) = rows.merge([rows.of_job(stub, 0)], [announced])
    assert (row.status, row.created, row.job_type, row.user_id) == ("cancelled", False, "pdf", "u")
    assert (row.batch_id, row.batch_index, row.created_at) == (batch.batch_id, 0, batch.created_at)


def test_rows_stand_in_the_order_of_their_ids() -> None:
    batch = _batch(count=50)
    found = rows.merge([], rows.of_members(batch, None, partitions=6))
    assert [row.job_id for row in found] == sorted(member_id(batch.batch_id, index) for index in range(50))


def test_a_nul_is_shown_in_columns_as_the_replacement_character() -> None:
    assert text("a\x00b") == "a\ufffdb"


def test_a_claim_that_is_not_next_makes_no_event() -> None:
    facts = [fact("job-a", created()), fact("job-a", JobStarted(number=2, run="run-a", worker="w"), 1)]
    assert len(one_by_one(entries_of(facts, [0])).events) == 1


def _batch(count: int) -> Batch:
    whole = BatchCreated(count=count, specs=claim("specs"), body_sha256="0" * 64)
    return one_by_one(entries_of([fact("batch-a", whole)], [0])).known.batches["batch-a"]
