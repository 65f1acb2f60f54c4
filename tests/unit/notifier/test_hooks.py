"""Hooks of a job: their order, their ids, and what follows from an attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.webhooks.attempts import Attempted, Ending
from schemas.events import WebhookAbandoned
from schemas.ids import delivery_id
from services.notifier.delivery.facts import About, abandoned_fact
from services.notifier.delivery.verdict import (
    JITTER,
    MAX_RETRY_AFTER_S,
    Decision,
    Verdict,
    judge,
)
from services.notifier.hooks.order import ClaimedHook, next_hook
from services.notifier.hooks.outcome import outcome_of
from tests.support.histories.hooks import DELAYS, NOW, attempts, claimed


@pytest.mark.parametrize(
    ("row", "phase"),
    [
        (claimed(), None),
        (claimed(progress=3), "processing"),
        (claimed(progress=3, attempted=True), "processing"),
        (claimed(progress=3, final="completed"), "processing"),
        (claimed(progress=3, attempted=True, final="completed"), "completed"),
        (claimed(progress=3, muted=True), None),
        (claimed(progress=3, muted=True, final="error"), "error"),
        (claimed(final="error"), "error"),
        (claimed(progress=3, request="a"), None),
        (claimed(progress=3, request="a", final="completed"), "completed"),
    ],
)
def test_progress_goes_first_once_and_never_holds_the_end_up_again(row: ClaimedHook, phase: str | None) -> None:
    hook = next_hook(row)
    assert (hook.phase if hook else None) == phase


def test_a_job_has_one_terminal_id_and_an_id_for_each_progress() -> None:
    finals = [next_hook(claimed(final="completed", attempts=number)) for number in range(3)]
    steps = [next_hook(claimed(progress=number)) for number in (3, 4)]
    assert len({hook.delivery_id for hook in finals if hook}) == 1
    assert len({hook.delivery_id for hook in steps if hook}) == 2
    assert [hook.attempt for hook in finals if hook] == [1, 2, 3]


@given(attempts, st.integers(1, 20), st.floats(0, 1, exclude_max=True), st.booleans())
def test_every_attempt_has_exactly_one_consequence(
    attempted: Attempted, number: int, spread: float, final: bool
) -> None:
    verdict = judge(attempted, final, number, DELAYS, spread)
    row = claimed(progress=None if final else 3, final="completed" if final else None, attempts=number - 1)
    hook = next_hook(row)
    assert hook is not None
    outcome = outcome_of(row, hook, attempted, verdict, NOW)
    if verdict.decision is Decision.REPEAT:
        assert outcome.facts == ()
        assert outcome.attempts == row.attempts
    else:
        assert outcome.facts
        assert all(fact.subject == "job-1" for fact in outcome.facts)
    if not final:
        assert outcome.state == "open"
        assert verdict.decision is Decision.REPEAT or (verdict.delay_s is None and outcome.progress_number == 3)
    if final and outcome.state == "open":
        assert outcome.delay_s is not None, "an end_violations final hook always has a next time"


@given(st.integers(0, 30), st.integers(1, len(DELAYS)))
def test_a_redelivery_restarts_the_schedule_and_continues_the_count_of_attempts(before: int, turn: int) -> None:
    row = claimed(final="completed", attempts=before + turn - 1, request="a", attempts_before=before)
    hook = next_hook(row)
    assert hook is not None
    assert (hook.attempt, hook.turn) == (before + turn, turn)
    refused = Attempted(Ending.ANSWERED, status=500)
    assert judge(refused, True, hook.turn, DELAYS, 0) == judge(refused, True, turn, DELAYS, 0)
    assert hook.delivery_id == delivery_id("job-1", "final")


@given(st.integers(0, 5), st.sampled_from(["GONE", "EXHAUSTED", "TOO_OLD"]))
def test_the_facts_of_each_life_of_a_hook_have_ids_of_their_own(attempt: int, reason: str) -> None:
    about = [
        About(job_id="job-1", owner="o", delivery_id="msg_1", phase="error", origin="http://x:80", request=request)
        for request in (None, "a", "b")
    ]
    facts = [abandoned_fact(one, attempt, reason, NOW) for one in about]
    assert len({fact.id for fact in facts}) == len(facts)
    assert [fact.data.request for fact in facts if isinstance(fact.data, WebhookAbandoned)] == [None, "a", "b"]


@given(attempts, st.integers(1, 2), st.floats(0, 1, exclude_max=True))
def test_jitter_only_adds_and_retry_after_only_puts_off(attempted: Attempted, number: int, spread: float) -> None:
    verdict = judge(attempted, True, number, DELAYS, spread)
    if verdict.decision is Decision.FAILED:
        assert verdict.delay_s is not None
        most = max(DELAYS[number] * (1 + JITTER), MAX_RETRY_AFTER_S)
        assert DELAYS[number] <= verdict.delay_s <= most
        assert verdict.delay_s >= min(attempted.retry_after_s or 0, MAX_RETRY_AFTER_S)


@pytest.mark.parametrize(
    ("attempted", "verdict"),
    [
        (Attempted(Ending.ANSWERED, status=204), Verdict(Decision.DELIVERED)),
        (Attempted(Ending.ANSWERED, status=302), Verdict(Decision.FAILED, "HTTP_STATUS", 5.0)),
        (Attempted(Ending.ANSWERED, status=410), Verdict(Decision.ABANDONED, "GONE")),
        (Attempted(Ending.TIMEOUT), Verdict(Decision.FAILED, "TIMEOUT", 5.0)),
        (Attempted(Ending.BLOCKED_ADDRESS), Verdict(Decision.ABANDONED, "BLOCKED_ADDRESS")),
        (Attempted(Ending.UNREADABLE), Verdict(Decision.ABANDONED, "UNREADABLE")),
    ],
)
def test_what_follows_from_the_first_attempt(attempted: Attempted, verdict: Verdict) -> None:
    assert judge(attempted, True, 1, DELAYS, 0.0) == verdict
