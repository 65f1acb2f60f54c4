"""The fold of a job: what holds after any history."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import CODEC, Status, evolve
from piperoll.history import regressions
from schemas.envelope import Fact
from schemas.events import (
    EVENTS,
    JobCancelled,
    JobCreated,
    JobErased,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
)
from tests.support.histories.jobs import completed, created, fact
from tests.support.histories.lives import (
    CANCELLED,
    JOB,
    fold,
    folded,
    lives,
    started,
)


@given(lives())
def test_no_fact_in_any_state_makes_a_job_go_backwards(facts: list[Fact]) -> None:
    job = None
    for one in facts:
        after = evolve(job, one)
        if after is not job and job is not None:
            assert after is not None
            assert regressions(job, after) == []
            assert after.updated_at >= job.updated_at
            assert after.percent >= job.percent
            assert after.attempt - job.attempt in (0, 1)
        job = after


@given(lives())
def test_the_sequence_counts_exactly_the_accepted_facts(facts: list[Fact]) -> None:
    job, accepted = None, 0
    for one in facts:
        after = evolve(job, one)
        accepted += after is not job
        assert after is None or after.sequence == accepted
        assert after is job or after != job  # a fact that counts changes something
        job = after


@given(lives())
def test_a_terminal_job_changes_only_by_being_filled_in_or_erased(facts: list[Fact]) -> None:
    job = None
    for one in facts:
        after = evolve(job, one)
        if job is not None and job.status.terminal and after is not job:
            assert after is not None
            assert (after.status, after.run, after.attempt, after.ended_at, after.error_code) == (
                job.status,
                job.run,
                job.attempt,
                job.ended_at,
                job.error_code,
            )
            filled = isinstance(one.data, JobCreated) and not job.created
            erased = isinstance(one.data, JobErased) and not job.erased
            assert filled or erased
        job = after


@given(lives())
def test_delivering_the_whole_history_again_changes_no_ended_job_and_never_adds_an_attempt(facts: list[Fact]) -> None:
    once = fold(facts)
    twice = fold(facts, once)
    if once is None:
        assert twice is None
    elif once.status.terminal and once.created and once.erased:
        assert twice is once


@given(lives())
def test_each_record_read_twice_in_a_row_counts_once(facts: list[Fact]) -> None:
    assert fold(facts) == fold(one for original in facts for one in (original, original))


@given(lives())
def test_repeating_the_facts_of_ended_runs_counts_nothing(facts: list[Fact]) -> None:
    """Facts that a replayed zombie repeats of runs that are over: the job does not move."""
    job = fold(facts)
    if job is None:
        return
    over = [one for one in facts if getattr(one.data, "run", job.run) != job.run]
    repeated = [one for one in over if not isinstance(one.data, JobStarted) or one.data.number <= job.attempt]
    assert fold(repeated, job) is job


@given(lives())
def test_the_counters_add_up(facts: list[Fact]) -> None:
    """Every accepted start is explained: the current run, or one that was retried, released, lost or ended."""
    job, starts, releases, retries, uncharged, losses = None, 0, 0, 0, 0, 0
    for one in facts:
        after = evolve(job, one)
        if after is not job and after is not None:
            starts += isinstance(one.data, JobStarted)
            releases += isinstance(one.data, JobReleased)
            retries += isinstance(one.data, JobRetryScheduled) and one.data.charged
            uncharged += isinstance(one.data, JobRetryScheduled) and not one.data.charged
            losses += isinstance(one.data, JobStarted) and job is not None and job.status is Status.PROCESSING
        job = after
    if job is not None:
        assert (job.attempt, job.retries, job.losses) == (starts, retries, losses)
        assert starts - releases - retries - uncharged - losses in (0, 1)


@given(lives())
def test_a_job_has_a_current_run_exactly_while_it_is_processing(facts: list[Fact]) -> None:
    job = fold(facts)
    if job is None:
        return
    if job.status is Status.PENDING:
        assert (job.run, job.worker) == (None, None)
    if job.status is Status.PROCESSING:
        assert job.run is not None
        assert job.started_at is not None
        assert job.due is None
    assert (job.ended_at is not None) == job.status.terminal


@given(lives())
def test_an_erased_job_names_no_content(facts: list[Fact]) -> None:
    job = fold(facts)
    if job is not None and job.erased:
        assert (job.parameters, job.result, job.error) == (None, None, None)


@given(lives())
def test_the_json_form_gives_the_same_job_back(facts: list[Fact]) -> None:
    job = fold(facts)
    if job is not None:
        assert CODEC.validate_json(CODEC.dump_json(job)) == job


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_every_event_there_is_may_come_first(name: str, data: st.DataObject) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    job = evolve(None, fact(JOB, event))
    assert (job is not None) == isinstance(event, JobCreated | JobCancelled | JobErased)


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_every_event_there_is_may_follow_in_every_state(name: str, data: st.DataObject) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    for job in (
        folded(created()),
        folded(created(), started(1)),
        folded(created(), started(1), completed("worker-a/1")),
        folded(CANCELLED),
    ):
        after = evolve(job, fact(JOB, event, 900))
        assert after is not None
