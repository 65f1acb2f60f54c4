"""The history checker: it is silent about every history the fold allows, and names each broken invariant."""

from dataclasses import replace

import pytest
from hypothesis import given

from piperoll.domain.job import Status
from piperoll.history import History, checkpoints_past_end, regressions
from piperoll.log.record import Position, partition_of
from schemas.envelope import Fact
from schemas.events import (
    BatchCreated,
    BatchExpanded,
    Event,
    JobCancelled,
    JobErased,
    JobStarted,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
    WebhookRedeliveryRequested,
)
from schemas.ids import member_id
from tests.support.histories.jobs import claim, created, fact, histories, life


def history_of(*facts: Fact) -> History:
    history = History()
    for one in facts:
        history.observe(one)
    return history


def lived_then(*events: Event, job_id: str = "job-a") -> History:
    lived = [fact(job_id, data, second) for second, data in enumerate(life(has_webhook=True))]
    return history_of(*lived, *(fact(job_id, data, 100 + number) for number, data in enumerate(events)))


def delivered(phase: str = "completed", name: str = "msg-1") -> WebhookDelivered:
    return WebhookDelivered(delivery_id=name, phase=phase, attempt=1, status=200, duration_ms=1)


@given(histories())
def test_no_history_makes_the_fold_break_an_invariant(facts: list[Fact]) -> None:
    assert history_of(*facts).violations() == []


@given(histories())
def test_a_trail_names_every_accepted_fact(facts: list[Fact]) -> None:
    history = history_of(*facts)
    assert {name: len(trail) for name, trail in history.trails.items()} == {
        name: job.sequence for name, job in history.jobs.items()
    }


def test_a_finished_job_with_its_hook_delivered_is_settled() -> None:
    assert lived_then(delivered()).end_violations(["job-a"]) == []


def test_an_abandoned_hook_is_settled_too() -> None:
    assert (
        lived_then(WebhookAbandoned(delivery_id="msg-1", phase="completed", attempt=1, reason="GONE")).end_violations()
        == []
    )


def test_a_hook_that_failed_and_will_be_tried_again_is_not_settled() -> None:
    failed = WebhookFailed(delivery_id="msg-1", phase="completed", attempt=1, reason="TIMEOUT", duration_ms=1)
    (violation,) = lived_then(failed).end_violations()
    assert violation.invariant == "I4"


def test_a_hook_that_was_asked_for_again_is_settled_by_what_answers_the_request() -> None:
    asked = WebhookRedeliveryRequested(delivery_id="msg-1", phase="completed", request="a", by="acme")
    (violation,) = lived_then(delivered(), asked).end_violations()
    assert violation.invariant == "I4"
    answered = lived_then(delivered(), asked, delivered().model_copy(update={"request": "a", "attempt": 2}))
    assert answered.end_violations() == answered.violations() == []


def test_an_acknowledged_job_that_is_not_in_the_log_is_missed() -> None:
    (violation,) = history_of().end_violations(["job-x"])
    assert str(violation) == "I1: job-x was acknowledged and is not in the log"


def test_an_open_job_is_unsettled() -> None:
    (violation,) = history_of(fact("job-a", created())).end_violations(["job-a"])
    assert violation.sentence == "has not ended: it is pending"


def test_a_batch_without_all_its_members_is_unsettled() -> None:
    whole = BatchCreated(count=2, specs=claim("specs"), body_sha256="0" * 64)
    history = history_of(
        fact("batch-a", whole),
        fact(member_id("batch-a", 0), created("batch-a")),
        fact("batch-a", BatchExpanded(count=2), 1),
    )
    assert "lacks 1 of its 2 members" in [one.sentence for one in history.end_violations() if one.subject == "batch-a"]


@pytest.mark.parametrize(
    ("data", "source", "lacks"),
    [
        (JobCancelled(by="acme"), "api", True),
        (JobCancelled(by="acme", reason="STORAGE_ERROR"), "api", True),
        (JobErased(by="acme"), "api", True),
        (JobCancelled(by="acme", reason="STORAGE_ERROR"), "worker", False),
    ],
)
def test_a_member_whose_creation_was_lost_is_missed_although_a_client_ended_it(
    data: Event, source: str, lacks: bool
) -> None:
    """A worker cancels the members that it cannot create."""
    whole = BatchCreated(count=1, specs=claim("specs"), body_sha256="0" * 64)
    ended = replace(fact(member_id("batch-a", 0), data), source=source)
    history = history_of(fact("batch-a", whole), ended, fact("batch-a", BatchExpanded(count=1), 1))
    assert [one.sentence for one in history.end_violations()] == ["lacks 1 of its 1 members"] * lacks


def test_a_progress_hook_after_the_terminal_one_is_a_violation() -> None:
    (violation,) = lived_then(delivered(), delivered("processing", "msg-0")).violations()
    assert violation.invariant == "I4"


def test_the_repeated_record_of_an_earlier_progress_hook_is_none() -> None:
    progress = fact("job-a", delivered("processing", "msg-0"), 50)
    history = history_of(progress, fact("job-a", delivered(), 60), progress)
    assert history.violations() == []


def test_two_terminal_hooks_of_one_job_are_a_violation() -> None:
    (violation,) = lived_then(delivered(), delivered(name="msg-2")).violations()
    assert violation.sentence == "has terminal webhooks with two different ids"


def test_a_record_in_a_partition_that_is_not_its_keys_is_a_violation() -> None:
    history = History(partitions=6)
    home = partition_of("job-a", 6)
    history.observe(fact("job-a", created()), Position(home, 0))
    assert history.violations() == []
    history.observe(fact("job-a", created()), Position((home + 1) % 6, 0))
    assert len(history.violations()) == 1


def test_a_claim_of_a_finished_job_is_noted_and_no_violation() -> None:
    history = lived_then(JobStarted(number=2, run="run-b", worker="worker-1"))
    assert [job_id for job_id, _ in history.late_starts] == ["job-a"]
    assert history.violations() == []


def test_blobs_of_an_erased_job_are_a_violation() -> None:
    assert lived_then().leftovers({"job-a": ["in/x"]}) == []
    assert [one.invariant for one in lived_then(JobErased(by="acme")).leftovers({"job-a": ["in/x"]})] == ["I7"]


def test_every_way_back_is_named() -> None:
    done = lived_then().jobs["job-a"]
    back = replace(done, status=Status.PENDING, sequence=done.sequence, percent=0, created=False, owner="else")
    assert len(regressions(done, back)) == 5


def test_a_checkpoint_beyond_the_end_is_a_violation() -> None:
    assert checkpoints_past_end({0: 5}, {0: 5}) == []
    assert [one.invariant for one in checkpoints_past_end({0: 6, 1: 1}, {0: 5})] == ["I8", "I8"]
