"""How long a run may take: the pure part of watching a child."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.children.deadline import LEAST_BUSY_S, RunWatch, Usage, described

seconds = st.floats(min_value=0.01, max_value=1e5)


@given(timeout_s=seconds, stall_s=seconds, reported_after=seconds, looked_after=seconds)
def test_a_run_is_over_exactly_at_the_time_of_its_watch(timeout_s, stall_s, reported_after, looked_after):
    watch = RunWatch(started=100.0, timeout_s=timeout_s, stall_timeout_s=stall_s, reported=100.0 + reported_after)
    now = 100.0 + looked_after
    verdict = watch.expired(now)
    assert (verdict is not None) == (now >= watch.due(now))
    if verdict:
        assert verdict.code is ErrorCode.PROCESSING_TIMEOUT
        assert verdict.retryable


def test_the_deadline_and_the_stall_are_distinguished():
    watch = RunWatch(started=0.0, timeout_s=60.0, stall_timeout_s=10.0, reported=5.0)
    stalled = watch.expired(15.0)
    late = watch.expired(60.0)
    assert stalled
    assert late
    assert "no progress for 10 seconds" in stalled.message
    assert "longer than the 60 seconds" in late.message
    assert (stalled.duration_ms, late.duration_ms) == (15_000, 60_000)


@given(limit_s=seconds, began_after=seconds, looked_after=seconds)
def test_a_page_is_over_exactly_at_its_own_time(limit_s, began_after, looked_after):
    watch = RunWatch(started=0.0, timeout_s=1e6, stall_timeout_s=1e6, reported=0.0, page_timeout_s=limit_s)
    verdict = watch.expired(looked_after, began_after)
    assert (verdict is not None) == (looked_after >= watch.due(looked_after, began_after))
    assert watch.expired(looked_after) is None
    assert watch.due(looked_after) == looked_after + limit_s


@given(timeout_s=seconds, stall_s=seconds, reported_after=st.lists(seconds, max_size=5))
def test_the_usage_is_read_once_at_half_of_the_time_and_once_in_each_silence(timeout_s, stall_s, reported_after):
    watch = RunWatch(started=0.0, timeout_s=timeout_s, stall_timeout_s=stall_s, reported=0.0)
    read = 0
    for reported in [*sorted(reported_after), 1e9]:
        while watch.half() <= reported:
            watch.usage = Usage(watch.half(), 0.0)
            read += 1
        watch.reported = reported
    assert 1 <= read <= 2 + len(reported_after)


@pytest.mark.parametrize(
    ("reported", "busy_s", "bound"),
    [(0, 30, True), (0, 15, True), (0, 14, False), (40, 30, False), (29, 30, True), (0, 0, False)],
)
def test_only_a_run_that_computed_without_progress_since_half_of_its_time_is_bound(reported, busy_s, bound):
    watch = RunWatch(started=0.0, timeout_s=60.0, stall_timeout_s=600.0, reported=reported, usage=Usage(30.0, 100.0))
    assert watch.computed(Usage(60.0, 100.0 + busy_s)) is bound


def test_a_run_that_was_short_or_not_looked_at_is_not_bound():
    watch = RunWatch(started=0.0, timeout_s=4.0, stall_timeout_s=600.0, reported=0.0)
    assert not watch.computed(Usage(4.0, 4.0))
    watch.usage = Usage(2.0, 0.0)
    assert not watch.computed(Usage(4.0, LEAST_BUSY_S - 0.1))


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (-signal.SIGSEGV, "crashed (SIGSEGV)"),
        (-signal.SIGKILL, "killed from outside (SIGKILL)"),
        (-signal.SIGRTMIN - 1, f"crashed (signal {signal.SIGRTMIN + 1})"),
        (3, "exit code 3"),
    ],
)
def test_a_crash_names_how_the_process_ended(returncode, words):
    watch = RunWatch(started=0.0, timeout_s=1.0, stall_timeout_s=1.0, reported=0.0)
    failed = watch.crashed(returncode, 0.5)
    assert failed.code is ErrorCode.PROCESSOR_CRASHED
    assert failed.retryable
    assert words in failed.message
    assert words in described(returncode)
