"""The backlog: exactly the open work of a partition, however its history is cut and by whichever checkpoint."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain import batch as batches
from piperoll.domain.backlog import REMEMBER_ENDED, Backlog, Transition
from piperoll.domain.job import evolve
from piperoll.history import History
from schemas.envelope import Fact
from schemas.events import BATCH_EVENTS, BatchErased, BatchExpanded, Event
from tests.support.histories.jobs import BEGAN, completed, created, fact
from tests.support.histories.lives import (
    BATCH,
    CANCELLED,
    ERASED,
    JOBS,
    appended,
    folded_backlog,
    partitions,
    released,
    started,
)


def ended_of(backlog: Backlog) -> set[str]:
    return {name for name in (*JOBS, "batch-1") if name in backlog.ended}


@given(partitions())
def test_the_backlog_holds_exactly_the_jobs_that_have_not_ended(facts: list[Fact]) -> None:
    history = History()
    for one in facts:
        history.observe(one)
    backlog = folded_backlog(facts)
    assert backlog.jobs == {name: job for name, job in history.jobs.items() if not job.status.terminal}
    assert {name for name in history.jobs if name in backlog.ended} == {
        name for name, job in history.jobs.items() if job.status.terminal
    }


@given(partitions())
def test_a_transition_is_accepted_exactly_when_the_fold_accepts_it_in_an_open_job(facts: list[Fact]) -> None:
    backlog = Backlog()
    for one in facts:
        if isinstance(one.data, BATCH_EVENTS):
            continue
        before, closed = backlog.jobs.get(one.subject), one.subject in backlog.ended
        transition = backlog.fold_job(one)
        if closed:
            assert transition == Transition(None, None)
        else:
            assert transition.before is before
            assert transition.after == evolve(before, one)
            assert transition.accepted == (evolve(before, one) is not before)


@given(partitions(), st.integers(0, 100))
def test_reading_a_stretch_again_opens_no_ended_job(facts: list[Fact], place: int) -> None:
    """What a repeated append looks like: a JobCreated after the end, the whole life once more."""
    backlog = folded_backlog(facts)
    ended = ended_of(backlog)
    again = folded_backlog(facts[place % (len(facts) + 1) :], backlog)
    assert ended <= ended_of(again)
    assert not ended & set(again.jobs)


@given(partitions(), st.integers(0, 47))
def test_an_end_is_remembered_for_two_days(facts: list[Fact], hours: int) -> None:
    backlog = folded_backlog(facts)
    remembered = ended_of(backlog)
    backlog.forget_ended(BEGAN + timedelta(hours=hours))
    assert ended_of(backlog) == remembered
    for name in remembered:
        if name != "batch-1":
            assert not backlog.fold_job(fact(name, created(), 900)).accepted


def test_an_end_is_forgotten_after_two_days_or_three_so_that_memory_does_not_grow_with_history() -> None:
    end = appended(CANCELLED)
    backlog = folded_backlog([appended(created()), end])
    backlog.forget_ended(end.known_at + REMEMBER_ENDED)
    assert len(backlog.ended) == 1
    backlog.forget_ended(end.known_at + REMEMBER_ENDED + timedelta(days=1))
    assert len(backlog.ended) == 0


def test_an_end_counts_from_its_append_and_not_from_its_writers_clock() -> None:
    late = replace(appended(CANCELLED), appended_at=BEGAN + timedelta(days=30))
    backlog = folded_backlog([appended(created()), late])
    backlog.forget_ended(BEGAN + timedelta(days=31))
    assert "job-a" in backlog.ended


@pytest.mark.parametrize("erased", [ERASED, BatchErased(by="x")])
def test_an_erasure_is_remembered_until_it_was_carried_out_and_then_for_two_days(erased: Event) -> None:
    subject = "batch-1" if isinstance(erased, BatchErased) else "job-a"
    backlog = folded_backlog([fact(subject, erased)])
    backlog.forget_erased(BEGAN + timedelta(days=400))
    assert set(backlog.erased) == {subject}
    assert backlog.carried_out(subject, backlog.erased[subject])
    backlog.forget_erased(BEGAN + REMEMBER_ENDED)
    assert set(backlog.erased) == {subject}
    backlog.forget_erased(BEGAN + REMEMBER_ENDED + timedelta(seconds=1))
    assert backlog.erased == {}


@pytest.mark.parametrize("later", [created(), CANCELLED, ERASED, started(1)])
def test_a_later_fact_of_an_erased_job_requires_another_erasure(later: Event) -> None:
    """Also while one is being carried out: what it deleted may have been written since."""
    backlog = folded_backlog([appended(ERASED)])
    begun = backlog.erased["job-a"]
    backlog.fold_job(appended(later, 1))
    assert not backlog.carried_out("job-a", begun)
    assert not backlog.erased["job-a"].done
    assert backlog.carried_out("job-a", backlog.erased["job-a"])
    backlog.fold_job(appended(later, 2))
    assert not backlog.erased["job-a"].done


def test_a_job_cancelled_before_its_creation_never_opens() -> None:
    backlog = Backlog()
    assert backlog.fold_job(appended(CANCELLED)).accepted
    assert not backlog.fold_job(appended(created(), 1)).accepted
    assert (backlog.jobs, ended_of(backlog)) == ({}, {"job-a"})


def test_a_job_leaves_when_its_end_is_read_and_not_before() -> None:
    backlog = folded_backlog([appended(one) for one in (created(), started(1))])
    assert set(backlog.jobs) == {"job-a"}
    transition = backlog.fold_job(appended(completed("worker-a/1"), 5))
    assert transition.after is not None
    assert transition.after.status.terminal
    assert not backlog.jobs


def test_the_erasure_of_a_job_that_ended_here_is_not_a_transition() -> None:
    backlog = folded_backlog([appended(one) for one in (created(), started(1), completed("worker-a/1"))])
    assert backlog.fold_job(appended(ERASED, 9)) == Transition(None, None)


def test_a_release_keeps_the_job_open() -> None:
    backlog = folded_backlog([appended(one) for one in (created(), started(1), released("worker-a/1"))])
    assert backlog.jobs["job-a"].run is None


# --- batches -----------------------------------------------------------------------------------------------------


def test_a_batch_is_to_be_expanded_once() -> None:
    backlog = Backlog()
    batch = backlog.fold_batch(fact("batch-1", BATCH))
    assert batch is not None
    assert (batch.batch_id, batch.count, batch.appended_at) == ("batch-1", 2, BEGAN)
    assert backlog.fold_batch(fact("batch-1", BATCH, 1)) is None
    assert backlog.batches == {"batch-1": batch}


def test_an_expanded_batch_is_done_and_a_repeat_does_not_open_it() -> None:
    backlog = folded_backlog([fact("batch-1", BATCH), fact("batch-1", BatchExpanded(count=2), 1)])
    assert (backlog.batches, ended_of(backlog)) == ({}, {"batch-1"})
    assert backlog.fold_batch(fact("batch-1", BATCH, 2)) is None
    assert backlog.batches == {}


def test_an_acknowledgement_of_an_unknown_batch_changes_nothing() -> None:
    assert folded_backlog([fact("batch-1", BatchExpanded(count=2))]) == Backlog()


@given(st.lists(st.sampled_from([BATCH, BatchExpanded(count=2), BatchErased(by="x"), created()]), max_size=12))
def test_the_fold_of_a_batch_takes_its_first_creation_and_its_first_expansion(data: list[object]) -> None:
    batch = None
    for second, one in enumerate(data):
        after = batches.evolve(batch, fact("batch-1", one, second))  # type: ignore[arg-type]
        if batch is not None:
            assert after is not None
            assert after.created_at == batch.created_at
            assert after.expanded >= batch.expanded
            assert (after is batch) == (after == batch)
        batch = after
    assert (batch is not None) == (BATCH in data)


@given(st.integers(1, 50), st.data())
def test_a_batch_is_terminal_only_when_all_its_members_are(count: int, data: st.DataObject) -> None:
    terminal = data.draw(st.integers(0, count))
    completed_ = data.draw(st.integers(0, terminal))
    started_ = data.draw(st.integers(terminal, count))
    status = batches.status_of(count, started_, completed_, terminal)
    if terminal == count:
        assert status == ("completed" if completed_ else "failed")
    else:
        assert status == ("processing" if started_ else "pending")
