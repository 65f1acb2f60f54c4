"""Batches: many jobs that are accepted or refused together."""

from collections.abc import Iterable, Mapping
from typing import Any

from piperoll.client.errors import WaitTimeoutError
from piperoll.client.exchange import answered, create, delete, given, part, read, viewed
from piperoll.client.scripts.jobs import PAGE
from piperoll.client.views.jobs import BatchView
from piperoll.client.wire import Emit, Pause, Script, Series, now

POLL_S = 1.0


def create_batch(
    jobs: Iterable[Mapping[str, Any]],
    *,
    name: str | None = None,
    user_id: str | None = None,
    webhook: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Script[BatchView]:
    """Create many jobs, each `{"job_type", "parameters"}`; `webhook` is for those without one."""
    body = given(jobs=list(jobs), batch_name=name, user_id=user_id, webhook=webhook)
    data = yield from answered(create("/api/jobs/batch", body, key=idempotency_key))
    return viewed(BatchView, data["batch"])


def get_batch(batch_id: str) -> Script[BatchView]:
    """Return a batch's counts and the status of each of its jobs."""
    return viewed(BatchView, (yield from answered(read(f"/api/jobs/batch/{part(batch_id)}"))))


def list_batches(*, status: str | None = None, user_id: str | None = None, page: int = PAGE) -> Series[BatchView]:
    """Iterate over batches, the newest first, without their jobs."""
    seen: set[str] = set()
    skip = 0
    while True:
        data = yield from answered(read("/api/jobs/batches", status=status, user_id=user_id, limit=page, skip=skip))
        for one in data["batches"]:
            batch = viewed(BatchView, one)
            if batch.batch_id not in seen:
                seen.add(batch.batch_id)
                yield Emit(batch)
        skip += len(data["batches"])
        if len(data["batches"]) < page or skip >= data["total"]:
            return


def wait_for_batch(batch_id: str, *, timeout: float | None = None) -> Script[BatchView]:
    """Return the batch when each of its jobs has ended. Raises WaitTimeoutError."""
    began = yield from now()
    while True:
        batch = yield from get_batch(batch_id)
        if batch.ended:
            return batch
        if timeout is not None and (yield from now()) + POLL_S > began + timeout:
            done = batch.completed_count + batch.failed_count
            raise WaitTimeoutError(f"{done} of {batch.job_count} jobs of {batch_id} have ended within {timeout:g} s")
        yield Pause(POLL_S)


def erase_batch(batch_id: str) -> Script[None]:
    """Erase a batch's jobs, then the batch."""
    yield from answered(delete(f"/api/jobs/batch/{part(batch_id)}"))
