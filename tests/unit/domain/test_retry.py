"""Retries: how long after, how often, and what the worker makes of a run's end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job
from piperoll.domain.run_retry import JITTER, UNCHARGED_AGE, Backoff, earlier_failures, is_charged, may_retry
from schemas.errors import RETRYABLE, SENTENCES, ErrorCode
from schemas.events import MAX_DELAY_S, JobRetryScheduled
from tests.support.histories.jobs import created
from tests.support.histories.lives import folded, retry, started

chances = st.floats(0, 1, exclude_max=True)


def test_delays_double_up_to_the_cap() -> None:
    backoff = Backoff(base=5, cap=60)
    assert [backoff.delay(retries, 0.0) for retries in range(6)] == [5, 10, 20, 40, 60, 60]


@given(st.integers(0, 10**6), chances, st.floats(0.1, 100), st.floats(0.1, MAX_DELAY_S / 2))
def test_jitter_only_adds_and_every_delay_can_be_a_fact(retries: int, chance: float, base: float, cap: float) -> None:
    backoff = Backoff(base, cap)
    delay = backoff.delay(retries, chance)
    assert backoff.delay(retries, 0.0) <= delay <= cap * (1 + JITTER)
    JobRetryScheduled(run="r", error_code="TIMEOUT", delay_s=delay)


def running(retries: int, max_attempts: int) -> Job:
    return replace(folded(created(), started(1)), retries=retries, max_attempts=max_attempts)


@pytest.mark.parametrize("max_attempts", [1, 2, 3, 10])
def test_a_job_runs_as_often_as_it_may_and_no_more(max_attempts: int) -> None:
    allowed = [may_retry(running(retries, max_attempts), True) for retries in range(12)]
    assert 1 + sum(allowed) == max_attempts
    assert sorted(allowed, reverse=True) == allowed


def test_losses_and_releases_are_not_charged_as_attempts() -> None:
    assert may_retry(replace(running(0, 2), losses=9, attempt=9), True)


def test_a_fault_of_the_installation_is_not_charged_until_the_job_is_a_day_old() -> None:
    job = running(2, 3)
    young, old = job.created_at + UNCHARGED_AGE, job.created_at + UNCHARGED_AGE + timedelta(seconds=1)
    assert not is_charged(job, own_fault=True, now=young)
    assert is_charged(job, own_fault=True, now=old)
    assert is_charged(job, own_fault=False, now=young)
    assert may_retry(job, True, charged=False)
    assert not may_retry(job, True, charged=True)


def test_an_uncharged_retry_leaves_the_count_of_retries() -> None:
    job = running(1, 3)
    assert job.run is not None
    after = folded(created(), started(1), retry(job.run))
    uncharged = folded(created(), started(1), retry(job.run).model_copy(update={"charged": False}))
    assert (after.retries, uncharged.retries) == (1, 0)
    assert (uncharged.status, uncharged.due) == (after.status, after.due)


def test_the_wait_after_a_fault_of_the_installation_grows_with_such_faults_alone() -> None:
    job = folded(created(), started(1))
    assert earlier_failures(job, charged=False) == 0
    assert earlier_failures(replace(job, attempt=8, losses=6, retries=1), charged=False) == 0
    assert earlier_failures(replace(job, attempt=5, losses=1, retries=1), charged=False) == 2
    assert earlier_failures(replace(job, attempt=5, losses=1, retries=1), charged=True) == 1


def test_what_lies_in_the_input_is_never_tried_again() -> None:
    assert not may_retry(running(0, 3), False)
    assert not {ErrorCode.INVALID_PDF, ErrorCode.PDF_ENCRYPTED, ErrorCode.FILE_NOT_FOUND, ErrorCode.WORKER_LOST} & (
        RETRYABLE
    )


def test_every_end_that_may_be_retried_has_a_sentence_for_the_client() -> None:
    assert set(SENTENCES) >= RETRYABLE
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
