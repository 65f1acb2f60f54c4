"""What facts make due: the notifier's fold beside the kernel's, and where a job's webhook stands."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.webhooks.origins import origin_of
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import (
    Event,
    JobCancelled,
    JobCompleted,
    JobCreated,
    JobErased,
    JobFailed,
    JobProgress,
    JobReleased,
    JobStarted,
)
from services.notifier.hooks.bodies import completed_body
from services.notifier.hooks.fold import State, Tracked, follow
from services.notifier.hooks.order import ClaimedHook
from services.notifier.hooks.webhook import JobWebhook, UnreadableWebhookError, parse_webhook

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OLDEST = NOW - timedelta(days=1)
CLAIM = Claim(uri="a/b", sha256="0" * 64, size=1)
WEBHOOK = JobWebhook("http://x:80", "http://x/", None, "mine")
CREATED = JobCreated(job_type="pdf", parameters=CLAIM, body_sha256="", has_webhook=True)

runs = st.sampled_from(["r1", "r2"])
events: st.SearchStrategy[Event] = st.one_of(
    st.just(CREATED),
    st.builds(JobStarted, number=st.integers(1, 3), run=runs, worker=st.just("w")),
    st.builds(
        JobProgress, run=runs, sequence=st.integers(1, 5), step=st.just("reading_file"), percent=st.integers(0, 100)
    ),
    st.builds(JobReleased, run=runs, reason=st.just("drain")),
    st.builds(JobCompleted, run=runs, result=st.just(CLAIM)),
    st.builds(JobFailed, run=runs, error_code=st.just("INVALID_PDF")),
    st.builds(JobCancelled, by=st.just("o")),
    st.builds(JobErased, by=st.just("o")),
)


def fact(data: Event, at: datetime = NOW) -> Fact:
    return Fact(id="id", subject="job-1", owner="o", time=at, source="test", data=data)


def tracked_after(*history: Event, at: datetime = NOW) -> Tracked | None:
    tracked: Tracked | None = None
    for data in history:
        tracked = follow(tracked, fact(data, at), WEBHOOK if isinstance(data, JobCreated) else None, OLDEST)
    return tracked


@given(st.lists(events, max_size=30))
def test_every_end_of_a_job_with_a_webhook_is_due_once_and_stays(history: list[Event]) -> None:
    tracked: Tracked | None = None
    finals = []
    for data in history:
        hook = WEBHOOK if isinstance(data, JobCreated) else None
        after = follow(tracked, fact(data), hook, OLDEST)
        if after is not tracked and after is not None and (tracked is None or tracked.final_phase is None):
            finals += [after.final_phase] if after.final_phase else []
        if tracked is not None and tracked.final_phase is not None and after is not None:
            assert after.final_phase == tracked.final_phase
            assert after.progress == tracked.progress, "no progress after the end"
        tracked = after
    assert len(finals) <= 1
    if tracked is not None and tracked.job is not None and tracked.job.created:
        assert bool(finals) == tracked.job.status.terminal


@pytest.mark.parametrize("ended_first", [JobCancelled(by="o"), JobErased(by="o")])
def test_an_end_read_before_the_creation_is_sent_once_the_creation_is_read(ended_first: Event) -> None:
    stub = tracked_after(ended_first)
    assert stub is not None
    assert not stub.due
    filled = tracked_after(ended_first, CREATED)
    assert filled is not None
    assert filled.due
    assert filled.final_phase == "error"


def test_a_job_without_a_webhook_is_not_tracked() -> None:
    assert follow(None, fact(CREATED.model_copy(update={"has_webhook": False})), None, OLDEST) is None


@pytest.mark.parametrize("erased", [False, True])
def test_a_job_whose_parameters_are_missing_ends_without_a_receiver_unless_it_was_erased(erased: bool) -> None:
    tracked = follow(None, fact(CREATED), None, OLDEST)
    history = (JobStarted(number=1, run="r1", worker="w"), JobErased(by="o") if erased else JobCancelled(by="o"))
    for data in history:
        tracked = follow(tracked, fact(data), None, OLDEST)
    assert tracked is not None
    assert (tracked.webhook, tracked.due, tracked.state) == (None, False, "open")
    assert (tracked.final_phase is None) is erased
    assert tracked_after(JobStarted(number=1, run="r", worker="w")) is None


def test_an_old_end_is_late_and_old_progress_is_dropped() -> None:
    old = NOW - timedelta(days=2)
    started = (CREATED, JobStarted(number=1, run="r", worker="w"))
    step = JobProgress(run="r", sequence=1, step="s", percent=1)
    moving = tracked_after(*started, step, at=old)
    ended = tracked_after(*started, step, JobCompleted(run="r", result=CLAIM), at=old)
    assert moving is not None
    assert moving.progress is None
    assert ended is not None
    assert (ended.state, ended.due, ended.final_phase) == ("late", False, "completed")


def test_the_erasure_of_what_may_be_a_repeat_of_a_forgotten_job_is_held_and_not_sent() -> None:
    """Its first hook was sent more than a month ago. A cancellation, or a job that began, is reported."""
    repeat = CREATED.model_copy(update={"unchecked": True})
    for facts, sent in (
        ((repeat, JobErased(by="o")), False),
        ((repeat, JobCancelled(by="o")), True),
        ((repeat, JobStarted(number=1, run="r", worker="w"), JobErased(by="o")), True),
        ((CREATED, JobErased(by="o")), True),
    ):
        tracked = tracked_after(*facts)
        assert tracked is not None
        assert (tracked.state, tracked.due) == (("open", True) if sent else ("late", False))


@given(st.sampled_from(["held", "delivered", "abandoned"]), st.booleans())
def test_the_end_of_a_job_that_the_deliveries_settled_is_kept_and_makes_nothing_due(state: State, old: bool) -> None:
    tracked: Tracked | None = Tracked(state=state)
    at = NOW - timedelta(days=2) if old else NOW
    for data in (CREATED, JobStarted(number=1, run="r", worker="w"), JobCompleted(run="r", result=CLAIM)):
        tracked = follow(tracked, fact(data, at), WEBHOOK if isinstance(data, JobCreated) else None, OLDEST)
    assert tracked is not None
    assert (tracked.state, tracked.final_phase, tracked.due) == (state, "completed", False)
    assert tracked.final_at is not None


def test_the_webhook_is_read_with_the_callers_id_in_its_url() -> None:
    config = {"url": "https://Example.com/h/{jobId}", "token": {"sealed": "k.x"}, "jobId": "a b/c"}
    hook = parse_webhook(json.dumps({"parameters": {"webhook": config}}).encode(), "job-1")
    assert hook == JobWebhook("https://example.com:443", "https://Example.com/h/a%20b%2Fc", "k.x", "a b/c")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"parameters": 1}',
        b'{"parameters": {"webhook": {}}}',
        b'{"parameters": {"webhook": {"url": 1}}}',
        b'{"parameters": {"webhook": {"url": "ftp://x"}}}',
        b'{"parameters": {"webhook": {"url": "http://x:99999/"}}}',
    ],
)
def test_content_that_cannot_be_parsed_is_unreadable(document: bytes) -> None:
    with pytest.raises(UnreadableWebhookError):
        parse_webhook(document, "job-1")


@pytest.mark.parametrize(
    ("url", "origin"),
    [("http://a/x", "http://a:80"), ("https://A:8443/", "https://a:8443"), ("http://[::1]/", "http://[::1]:80")],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_relative_links_in_data_get_the_public_address() -> None:
    tracked = tracked_after(CREATED)
    assert tracked is not None
    assert tracked.job is not None
    row = ClaimedHook(
        job_id="job-1",
        owner="o",
        origin="",
        url="",
        token=None,
        client_id="mine",
        job=tracked.job,
        progress=None,
        progress_attempted=False,
        progress_muted=False,
        final_phase="completed",
        final_at=None,
        attempts=0,
        leased_until=NOW,
    )
    result = json.dumps({"structured_data": {"extracted_text": "/x", "pages_archive_url": "/api/a"}}).encode()
    relative = json.loads(completed_body(row, result, ""))
    absolute = json.loads(completed_body(row, result, "https://jobs.example.com/"))
    assert relative["data"] == {"extracted_text": "/x", "pages_archive_url": "/api/a"}
    assert absolute["data"] == {"extracted_text": "/x", "pages_archive_url": "https://jobs.example.com/api/a"}
