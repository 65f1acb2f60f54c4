"""Jobs: create, read, list, wait, watch, cancel, restart, erase."""

from collections.abc import Mapping
from typing import Any, Unpack

from piperoll.client.errors import ConflictError, JobFailedError, WaitTimeoutError
from piperoll.client.exchange import answered, create, delete, given, part, read, viewed
from piperoll.client.parameters import JobOptions
from piperoll.client.views.jobs import AttemptView, EstimateView, FactView, JobView, RedeliveryView
from piperoll.client.wire import ApiRequest, Emit, Pause, Script, Series, now

PAGE = 200
FACTS = 1000
LONGEST_WAIT_S = 30.0
ESTIMATE_S = 15.0
QUICK_S, QUICK_POLL_S, POLL_S = 10.0, 0.05, 0.5


def create_job(
    job_type: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    user_id: str | None = None,
    idempotency_key: str | None = None,
    **named: Unpack[JobOptions],
) -> Script[JobView]:
    """Create a job; it runs later. Parameters are given by name, those of plug-ins as a mapping.

    A repeat after a lost answer creates no second job: every call has an Idempotency-Key, a random one unless
    `idempotency_key` is given. The answer has the job's id, type, status, parameters and time alone.
    """
    body = given(job_type=job_type, parameters={**(parameters or {}), **named}, user_id=user_id)
    data = yield from answered(create("/api/jobs/", body, key=idempotency_key))
    return viewed(JobView, data["job"])


def estimate_job(
    job_type: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    user_id: str | None = None,
    **named: Unpack[JobOptions],
) -> Script[EstimateView]:
    """Return what a job would take, without creating it; parameters as of `create`.

    A worker opens the file to count its pages. If none has time within seconds, the pages are None.
    """
    body = given(job_type=job_type, parameters={**(parameters or {}), **named}, user_id=user_id)
    data = yield from answered(ApiRequest("POST", "/api/jobs/estimate", body=body, wait_s=ESTIMATE_S))
    return viewed(EstimateView, data)


def get_job(job_id: str, *, wait: float | None = None) -> Script[JobView]:
    """Return a job; with `wait`, in seconds up to 60, at its next change of status or after that time."""
    request = read(f"/api/jobs/{part(job_id)}", wait=wait)
    data = yield from answered(ApiRequest("GET", request.path, request.query, wait_s=wait or 0.0))
    return viewed(JobView, data)


def list_jobs(
    *,
    status: str | None = None,
    job_type: str | None = None,
    batch_id: str | None = None,
    user_id: str | None = None,
    target_id: str | None = None,
    q: str | None = None,
    page: int = PAGE,
) -> Series[JobView]:
    """Iterate over jobs, the newest first, without results and logs; `page` of them are read at a time.

    With `q` only those that this search finds: by the beginnings of words of names, ids and texts.
    """
    filters = {
        "status": status,
        "job_type": job_type,
        "batch_id": batch_id,
        "user_id": user_id,
        "target_id": target_id,
        "q": q,
    }
    after: str | None = None
    while True:
        data = yield from answered(read("/api/jobs/", **filters, limit=page, after=after))
        for one in data["jobs"]:
            yield Emit(viewed(JobView, one))
        if len(data["jobs"]) < page:
            return
        after = data["jobs"][-1]["job_id"]


def wait_for_job(job_id: str, *, timeout: float | None = None, raise_on_failure: bool = False) -> Script[JobView]:
    """Return the job when it has ended. Raises WaitTimeoutError after `timeout` seconds, and with `raise_on_failure`
    JobFailedError if it did not complete."""
    began = yield from now()
    while True:
        left = None if timeout is None else began + timeout - (yield from now())
        job = yield from get_job(job_id, wait=LONGEST_WAIT_S if left is None else max(0.0, min(LONGEST_WAIT_S, left)))
        if job.ended:
            if raise_on_failure and not job.completed:
                raise JobFailedError(job)
            return job
        if timeout is not None and (yield from now()) >= began + timeout:
            raise WaitTimeoutError(f"{job_id} has not ended within {timeout:g} s: it is {job.status}")


def watch_job(job_id: str) -> Series[JobView]:
    """Iterate over the states of a job until it has ended: one for each change of its status or progress."""
    began, seen = (yield from now()), None
    while True:
        job = yield from get_job(job_id)
        state = (job.status, job.progress)
        if state != seen:
            seen = state
            yield Emit(job)
        if job.ended:
            return
        quick = (yield from now()) - began < QUICK_S  # shows the steps of short jobs
        yield Pause(QUICK_POLL_S if quick else POLL_S)


def result_of(job_id: str, *, timeout: float | None = None) -> Script[Mapping[str, Any]]:
    """Wait for a job and return its results. Raises JobFailedError and WaitTimeoutError."""
    job = yield from wait_for_job(job_id, timeout=timeout, raise_on_failure=True)
    return job.results or {}


def cancel_job(job_id: str, *, reason: str | None = None) -> Script[JobView]:
    """Stop a job and return it. Raises ConflictError if it had ended otherwise; a cancelled one is returned."""
    path = f"/api/jobs/{part(job_id)}/cancel"
    try:
        data = yield from answered(ApiRequest("POST", path, body=given(reason=reason)))
    except ConflictError as error:
        if error.details.get("status") != "cancelled":
            raise
        return (yield from get_job(job_id))  # by an earlier request, perhaps this one
    return viewed(JobView, data)


def restart_job(job_id: str, *, idempotency_key: str | None = None) -> Script[JobView]:
    """Run a job again, as a new job. Raises ConflictError before its end."""
    data = yield from answered(create(f"/api/jobs/{part(job_id)}/restart", {}, key=idempotency_key))
    return viewed(JobView, data["job"])


def erase_job(job_id: str) -> Script[None]:
    """Stop a job, and erase everything that it read and wrote."""
    yield from answered(delete(f"/api/jobs/{part(job_id)}"))


def history_of(job_id: str, *, after: int = 0) -> Series[FactView]:
    """Iterate over a job's facts in the order of the log, behind the sequence number `after`."""
    while True:
        data = yield from answered(read(f"/api/jobs/{part(job_id)}/events", after=after, limit=FACTS))
        for one in data["events"]:
            yield Emit(viewed(FactView, one))
        if len(data["events"]) < FACTS:
            return
        after = data["next"]


def deliveries_of(job_id: str) -> Script[list[AttemptView]]:
    """Return every attempt at the job's webhook and at the registered endpoints, the oldest first."""
    data = yield from answered(read(f"/api/jobs/{part(job_id)}/deliveries"))
    return [viewed(AttemptView, one) for one in data["deliveries"]]


def redeliver_job(job_id: str, *, delivery_id: str | None = None) -> Script[None]:
    """Send the job's final webhook again, under the same id. Raises ConflictError while attempts are scheduled."""
    path = f"/api/jobs/{part(job_id)}/deliveries/redeliver"
    yield from answered(ApiRequest("POST", path, body=given(delivery_id=delivery_id), repeatable=False))


def redeliver(origin: str, since: str, *, dry_run: bool = True) -> Script[RedeliveryView]:
    """Count the webhooks that a receiver missed since a time; without `dry_run` send them again, at most 1,000 a call.

    A repeat sends nothing twice: what is sent again already does not count.
    """
    body = {"origin": origin, "since": since, "dry_run": dry_run}
    return viewed(RedeliveryView, (yield from answered(ApiRequest("POST", "/api/deliveries/redeliver", body=body))))
