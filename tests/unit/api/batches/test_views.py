"""Batches as clients see them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.batch import Batch
from piperoll.domain.job import Status
from piperoll.log.record import Position
from services.api.batches.views import batch_view
from services.api.read_model.job_rows import BatchMember, BatchRow
from tests.support.histories.jobs import BEGAN, claim


@given(st.lists(st.sampled_from(list(Status)), min_size=1, max_size=8), st.integers(0, 3))
def test_a_batch_counts_its_members_under_both_sets_of_names(statuses: list[Status], missing: int) -> None:
    batch = Batch(
        batch_id="batch-1",
        owner="acme",
        user_id=None,
        name=None,
        specs=claim("specs"),
        count=len(statuses) + missing,
        body_sha256="0",
        created_at=BEGAN,
        appended_at=BEGAN,
    )
    members = tuple(BatchMember(f"job-{n}", status, datetime.now(UTC)) for n, status in enumerate(statuses))
    view = batch_view(BatchRow("acme", batch, Position(0, 0), members), None)
    assert view["job_count"] == view["total_jobs"] == batch.count
    assert view["completed_count"] == view["completed_jobs"] == statuses.count(Status.COMPLETED)
    ended = view["completed_jobs"] + view["failed_jobs"]
    assert view["failed_count"] == view["failed_jobs"]
    assert ended + view["pending_jobs"] + view["processing_jobs"] == batch.count
    assert (view["status"] in ("completed", "failed")) == (ended == batch.count) == ("completed_at" in view)
    assert view["batch_name"] == "batch-1"
    assert {job["status"] for job in view["jobs"]} <= {"pending", "processing", "completed", "failed"}
