"""What endpoints get: which changes, in which words, and what follows from an attempt."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job, evolve
from piperoll.history import History
from piperoll.webhooks.attempts import Attempted, Ending
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
    JobRetryScheduled,
    JobStarted,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from services.notifier.delivery.retry import Decision, Verdict
from services.notifier.notices.bodies import notice_body
from services.notifier.notices.changes import CHANGES, Change, ClaimedNotice, Following, RegisteredEndpoint, change_of
from services.notifier.notices.outcome import not_sent, outcome_of

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
CLAIM = Claim(uri="job-1/in/abc", sha256="abc", size=1)
CREATED = JobCreated(job_type="pdf", parameters=CLAIM, body_sha256="", target_id="doc-1")
COMPLETED = JobCompleted(run="a", result=CLAIM, pages=3, method="native", bytes_in=10, counts={"words": 7})
EVENTS: list[Event] = [
    CREATED,
    JobStarted(number=1, run="a", worker="w"),
    JobStarted(number=2, run="b", worker="w"),
    JobProgress(run="a", sequence=1, step="reading_file", percent=10),
    JobReleased(run="a", reason="drain"),
    JobRetryScheduled(run="b", error_code="TIMEOUT", delay_s=0),
    COMPLETED,
    JobFailed(run="b", error_code="INVALID_PDF"),
    JobCancelled(by="owner"),
    JobErased(by="owner"),
]
NEXT = {
    None: {"PENDING", "KILLED"},
    "PENDING": {"IN_PROGRESS", "KILLED"},
    "IN_PROGRESS": {"PENDING", "DONE", "ERROR", "KILLED"},
    "DONE": set(),
    "ERROR": set(),
    "KILLED": set(),
}


def fact(data: Event, owner: str = "owner", at: datetime = NOW) -> Fact:
    return Fact("id", "job-1", owner, at, "test", data)


def endpoint(*statuses: str, since: datetime = LONG_AGO) -> RegisteredEndpoint:
    return RegisteredEndpoint(
        "endpoint-1", "owner", "http://a:80", "http://a/", None, "sealed", frozenset(statuses), since
    )


def changes(*events: Event, **more: Any) -> list[Change]:
    following = Following([endpoint(**more)], {}, LONG_AGO)
    for data in events:
        following.take(fact(data))
    return following.notices.get(("job-1", "endpoint-1"), [])


DONE = Change(number=3, status="DONE", at=NOW, job_type="pdf", target_id="doc-1", parameters=CLAIM)


def claimed(attempts: int = 0, **more: Any) -> ClaimedNotice:
    return ClaimedNotice(
        job_id="job-1",
        endpoint_id="endpoint-1",
        owner="owner",
        origin="http://a:80",
        change=replace(DONE, **more),
        attempts=attempts,
        leased_until=NOW,
        url="http://a/",
        token=None,
        secret="sealed",
    )


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def test_notices_are_exactly_the_changes_of_status_of_the_fold(events: list[Event]) -> None:
    found = changes(*events)
    before: str | None = None
    for change in found:
        assert change.status in NEXT[before]
        before = change.status
    numbers = [change.number for change in found]
    assert numbers == sorted(set(numbers))
    job: Job | None = None
    for data in events:
        job = evolve(job, fact(data))
    if job is not None and job.created:
        assert (
            found[-1].status
            == {
                "pending": "PENDING",
                "processing": "IN_PROGRESS",
                "completed": "DONE",
                "failed": "ERROR",
                "cancelled": "KILLED",
            }[job.status.value]
        )
    assert CHANGES.validate_json(CHANGES.dump_json(found)) == found


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.integers(0, 12))
def test_a_fold_kept_between_two_polls_gives_the_same_changes(events: list[Event], cut: int) -> None:
    first = Following([endpoint()], {}, LONG_AGO)
    for data in events[:cut]:
        first.take(fact(data))
    second = Following([endpoint()], first.jobs, LONG_AGO)
    for data in events[cut:]:
        second.take(fact(data))
    key = ("job-1", "endpoint-1")
    assert [*first.notices.get(key, []), *second.notices.get(key, [])] == changes(*events)


def test_an_endpoint_gets_what_it_asked_for_and_nothing_older_than_itself() -> None:
    started = JobStarted(number=1, run="a", worker="w")
    following = Following([endpoint("DONE"), endpoint()], {}, LONG_AGO)
    assert [one.wants(Change(number=1, status="ERROR", at=NOW)) for one in (endpoint("DONE"), endpoint())] == [
        False,
        True,
    ]
    assert not endpoint(since=NOW + timedelta(milliseconds=1)).wants(Change(number=1, status="DONE", at=NOW))
    following.take(fact(started, owner="other"))
    assert not following.concerns("other")
    assert following.notices == {}


def test_a_job_type_that_these_clients_do_not_know_is_not_sent() -> None:
    assert changes(CREATED.model_copy(update={"job_type": "noop"})) == []


def test_a_change_from_before_the_oldest_that_is_sent_is_late() -> None:
    after = evolve(None, fact(CREATED))
    assert after is not None
    old = change_of(None, after, fact(CREATED), NOW + timedelta(seconds=1))
    assert old is not None
    assert old.late


def test_the_body_equals_the_row_of_the_list() -> None:
    *_, done = changes(CREATED, JobStarted(number=1, run="a", worker="w"), COMPLETED)
    document = {"job_type": "pdf", "parameters": {"filename": "/files/report.pdf"}}
    body = json.loads(notice_body(claimed(**vars_of(done)), json.dumps(document).encode(), None))
    assert body == {
        "jobId": "job-1",
        "status": "DONE",
        "targetId": "doc-1",
        "type": "EXTRACTION",
        "metadata": {
            "fileName": "report.pdf",
            "fileSize": 10,
            "mimeType": "application/pdf",
            "pageCount": 3,
            "extractionMethod": "native",
            "words": 7,
        },
    }


def vars_of(change: Change) -> dict[str, Any]:
    return {name: getattr(change, name) for name in Change.__slots__}


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (b'{"message": "It is empty."}', "It is empty."),
        (None, "The file is not a PDF that can be opened."),
    ],
)
def test_a_failure_has_its_message_and_other_statuses_do_not(details: bytes | None, message: str) -> None:
    failed = claimed(status="ERROR", error_code="INVALID_PDF")
    assert json.loads(notice_body(failed, None, details))["metadata"]["error"] == message
    assert "error" not in json.loads(notice_body(claimed(error_code="INVALID_PDF"), None, details))["metadata"]


def test_a_trial_is_marked_as_one() -> None:
    body = json.loads(notice_body(claimed(status="PENDING", trial=True), None, None))
    assert (body["metadata"]["test"], body["targetId"]) == (True, "endpoint-1")


def test_content_that_is_not_an_object_is_unreadable() -> None:
    with pytest.raises(ValueError, match="JSON"):
        notice_body(claimed(), b"[]", None)


def test_a_delivered_change_is_settled_and_a_failed_one_stays() -> None:
    delivered = outcome_of(claimed(), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW)
    assert (delivered.delay_s, [type(one.data) for one in delivered.facts]) == (None, [WebhookDelivered])
    failed = outcome_of(claimed(1), Attempted(Ending.TIMEOUT, 5), Verdict(Decision.FAILED, "TIMEOUT", delay_s=7.0), NOW)
    assert (failed.delay_s, failed.attempts, failed.gone) == (7.0, 2, False)
    (found,) = failed.facts
    assert isinstance(found.data, WebhookFailed)
    assert (found.data.attempt, found.data.reason, found.data.endpoint_id) == (2, "TIMEOUT", "endpoint-1")
    assert found.data.next_attempt_at == "2026-01-01T12:00:07Z"


def test_the_last_failure_is_recorded_as_failed_and_as_given_up_and_410_ends_the_endpoint() -> None:
    last = outcome_of(claimed(2), Attempted(Ending.TIMEOUT, 5), Verdict(Decision.ABANDONED, "EXHAUSTED"), NOW)
    assert [type(one.data) for one in last.facts] == [WebhookFailed, WebhookAbandoned]
    assert (last.delay_s, last.gone) == (None, False)
    assert outcome_of(claimed(), Attempted(Ending.ANSWERED, 5, 410), Verdict(Decision.ABANDONED, "GONE"), NOW).gone


def test_our_own_fault_is_not_charged_and_a_trial_leaves_no_fact() -> None:
    ours = outcome_of(claimed(4), Attempted(Ending.OURS), Verdict(Decision.REPEAT, delay_s=5.0), NOW)
    assert (ours.attempts, ours.facts, ours.delay_s) == (4, (), 5.0)
    trial = outcome_of(claimed(trial=True), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW)
    assert trial.facts == ()
    assert not_sent(claimed(trial=True), "REMOVED", NOW).facts == ()


def test_each_fact_about_a_change_has_an_id_of_its_own() -> None:
    some = [not_sent(claimed(number=number), "TOO_OLD", NOW).facts[0] for number in (1, 2)]
    assert len({one.id for one in some}) == len({one.data.delivery_id for one in some}) == 2  # type: ignore[attr-defined]


def test_notices_are_not_taken_for_hooks_of_the_jobs_own_webhook() -> None:
    history = History()
    for number in (1, 2, 3):
        outcome = outcome_of(
            claimed(number=number), Attempted(Ending.ANSWERED, 5, 200), Verdict(Decision.DELIVERED), NOW
        )
        history.observe(outcome.facts[0])
    assert history.violations() == []
