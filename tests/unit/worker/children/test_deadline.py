"""How long a run may take: the pure part of watching a child."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.children.deadline import RunWatch, described

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


def looks(watch, used_s_at, reports=()):
    """Look at the run whenever its watch asks for it; return whether it was busy at its end, and the times."""
    now, seen, due = watch.started, [], list(reports)
    while watch.expired(now) is None:
        now = watch.look_at(now)
        while due and due[0] <= now:
            watch.reported = due.pop(0)
        watch.note(now, lambda: used_s_at(now))  # noqa: B023 - called at once
        seen.append(now)
    return watch.is_busy(now, used_s_at(now)), seen


@pytest.mark.parametrize(
    ("share", "reports", "busy"),
    [
        (1.0, [], True),
        (1.0, [1.0, 20.0], True),
        (0.6, [], True),
        (0.2, [], False),
        (1.0, [20.0, 40.0, 59.9], False),
    ],
    ids=["computes", "computes after some progress", "computes beside others", "waits", "makes progress to the end"],
)
def test_a_run_that_only_computes_without_progress_is_busy(share, reports, busy):
    watch = RunWatch(started=0.0, timeout_s=60.0, stall_timeout_s=30.0, reported=0.0)
    found, seen = looks(watch, lambda now: share * now, reports)
    assert found is busy
    assert len(seen) <= 2 * (len(reports) + 1)


def test_a_late_look_alone_proves_nothing():
    watch = RunWatch(started=0.0, timeout_s=60.0, stall_timeout_s=30.0, reported=0.0)
    watch.note(30.0, lambda: 30.0)
    assert not watch.is_busy(30.0, 30.0)


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
