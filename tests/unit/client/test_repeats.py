"""Which requests are sent again, after how long, and when the client gives up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.client.errors import ConflictError, QuotaError, RateLimitError, ServerError, UnreachableError
from piperoll.client.exchange import answered, asked
from piperoll.client.policy import RetryPolicy
from piperoll.client.scripts import admin, documents, files, jobs
from piperoll.client.wire import ApiRequest, TransportFault
from tests.support.clients.played import data, error, play

READ = ApiRequest("GET", "/api/jobs/job-1")
UNSAFE = ApiRequest("POST", "/v1/folders", repeatable=False)
CUT = TransportFault("cut")
REFUSED = TransportFault("refused", sent=False)
JOB = {"job_id": "job-1", "job_type": "pdf", "status": "pending", "created_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("outcome", [CUT, REFUSED, *(error(status, "X") for status in (429, 502, 503, 504))])
def test_what_may_pass_is_repeated(outcome: object) -> None:
    played = play(answered(READ), [outcome, data("at last")])  # type: ignore[list-item]

    assert played.value == "at last"
    assert len(played.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 507])
def test_an_answer_that_stays_the_same_is_not_repeated(status: int) -> None:
    with pytest.raises(Exception, match="no"):
        play(asked(READ), [error(status, "X")])


def test_a_full_disk_is_a_quota_that_no_repeat_frees() -> None:
    with pytest.raises(QuotaError):
        play(asked(READ), [error(507, "INSUFFICIENT_STORAGE", retry_after="60")])


@pytest.mark.parametrize("outcome", [CUT, *(error(status, "X") for status in (502, 503, 504))])
def test_a_request_that_is_not_safe_is_not_repeated_once_it_may_have_been_done(outcome: object) -> None:
    with pytest.raises((UnreachableError, ServerError)):
        play(asked(UNSAFE), [outcome])  # type: ignore[list-item]


@pytest.mark.parametrize("outcome", [REFUSED, error(429, "RATE_LIMITED")])
def test_a_request_that_is_not_safe_is_repeated_while_it_certainly_was_not_done(outcome: object) -> None:
    assert play(answered(UNSAFE), [outcome, data(1)]).value == 1  # type: ignore[list-item]


@pytest.mark.parametrize(
    "script",
    [
        lambda: jobs.create_job("pdf", filename="a"),
        lambda: jobs.restart_job("job-1"),
    ],
)
def test_a_creation_has_one_idempotency_key_over_all_repeats(script: object) -> None:
    played = play(script(), [CUT, error(503, "OUTCOME_UNKNOWN"), data({"job": JOB})])  # type: ignore[operator]

    keys = {request.headers["Idempotency-Key"] for request in played.requests}
    assert len(played.requests) == 3
    assert len(keys) == 1
    another = play(script(), [data({"job": JOB})])  # type: ignore[operator]
    assert another.requests[0].headers["Idempotency-Key"] not in keys


def test_a_key_of_the_caller_is_used() -> None:
    played = play(jobs.create_job("pdf", idempotency_key="monday"), [data({"job": JOB})])

    assert played.requests[0].headers["Idempotency-Key"] == "monday"


@pytest.mark.parametrize(
    ("after", "waited"), [("7", 7.0), ("Thu, 01 Jan 2026 00:00:09 GMT", 9.0), ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0)]
)
def test_retry_after_is_honoured_in_seconds_and_as_a_date(after: str, waited: float) -> None:
    still = RetryPolicy(draw=lambda: 0.0)

    played = play(answered(READ), [error(429, "RATE_LIMITED", retry_after=after), data(1)], still)

    assert played.pauses == [waited]


def test_a_retry_after_beyond_the_deadline_is_not_waited_for() -> None:
    with pytest.raises(RateLimitError):
        play(answered(READ), [error(429, "RATE_LIMITED", retry_after="3600")])


def test_the_pauses_double_up_to_a_bound_and_end_at_the_deadline() -> None:
    rules = RetryPolicy(retry_for_s=20, base_s=1, longest_s=4, draw=lambda: 1.0)

    with pytest.raises(UnreachableError):
        play(asked(READ), [CUT] * 7, rules)
    played = play(answered(READ), [CUT] * 6 + [data(1)], rules)
    assert played.pauses == [1, 2, 4, 4, 4, 4]


@given(draw=st.floats(0, 1), attempt=st.integers(1, 10_000), after=st.none() | st.floats(0, 1000))
def test_a_pause_is_between_what_was_asked_and_the_bound(draw: float, attempt: int, after: float | None) -> None:
    rules = RetryPolicy(base_s=0.5, longest_s=8, draw=lambda: draw)

    pause = rules.pause(attempt, after)

    assert (after or 0) <= pause <= (8 if after is None else after + 0.5)


def test_no_repeats_on_request() -> None:
    with pytest.raises(UnreachableError):
        play(asked(READ), [CUT], RetryPolicy(retry_for_s=0, draw=lambda: 1.0))


def test_a_repeated_cancel_that_did_it_already_returns_the_cancelled_job() -> None:
    ended = JOB | {"status": "failed", "error": {"code": "CANCELLED", "message": "no", "details": {}}}
    conflict = error(409, "CONFLICT", details={"status": "cancelled"})

    assert play(jobs.cancel_job("job-1"), [CUT, conflict, data(ended)]).value.cancelled
    with pytest.raises(ConflictError):
        play(jobs.cancel_job("job-1"), [error(409, "CONFLICT", details={"status": "completed"})])


def test_an_upload_that_can_be_read_again_is_repeated() -> None:
    upload = {"file_id": "file-1", "filename": "upload://file-1/a"}

    assert play(files.upload(b"abc"), [CUT, data(upload)]).value.filename == "upload://file-1/a"


def test_the_health_is_asked_once() -> None:
    down = play(admin.health(), [error(503, "READ_MODEL_UNAVAILABLE", details={"problems": {"kafka": "away"}})])

    assert (down.value.ready, down.value.problems) == (False, {"kafka": "away"})
    assert play(admin.health(), [data({"status": "ok"})]).value.ready


def test_a_folder_is_not_created_twice() -> None:
    with pytest.raises(UnreachableError):
        play(documents.create_folder("a"), [CUT])
