"""Which hook is next, what follows from an attempt, how much a receiver is given: the pure parts of the notifier."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job, Status
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.retry_after import retry_after_s
from schemas.events import WebhookAbandoned
from schemas.ids import delivery_id
from services.notifier.delivery.breaker import CLOSED, MAX_PAUSE_S, Breaker, observe, room
from services.notifier.delivery.due_origins import DueOrigins, deal
from services.notifier.delivery.facts import About, abandoned_fact
from services.notifier.delivery.retry import (
    JITTER,
    MAX_RETRY_AFTER_S,
    Decision,
    Verdict,
    judge,
)
from services.notifier.hooks.order import ClaimedHook, FinalPhase, HookProgress, next_hook
from services.notifier.hooks.outcome import outcome_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DELAYS = (0.0, 5.0, 300.0)

endings = st.sampled_from([ending for ending in Ending if ending is not Ending.ANSWERED])
attempts = st.one_of(
    st.builds(
        Attempted,
        st.just(Ending.ANSWERED),
        status=st.integers(100, 599),
        retry_after_s=st.none() | st.floats(0, 1e9),
    ),
    st.builds(Attempted, endings),
)


def claimed(
    *,
    progress: int | None = None,
    attempted: bool = False,
    muted: bool = False,
    final: FinalPhase | None = None,
    attempts: int = 0,
    request: str | None = None,
    attempts_before: int = 0,
) -> ClaimedHook:
    job = Job(job_id="job-1", owner="o", status=Status.PROCESSING, created_at=NOW, updated_at=NOW, job_type="pdf")
    return ClaimedHook(
        job_id="job-1",
        owner="o",
        origin="http://x:80",
        url="http://x/",
        token=None,
        client_id="job-1",
        job=job,
        progress=None if progress is None else HookProgress(progress, "extracting_text", 10),
        progress_attempted=attempted,
        progress_muted=muted,
        final_phase=final,
        final_at=None,
        attempts=attempts,
        leased_until=NOW,
        request=request,
        attempts_before=attempts_before,
    )


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


@given(st.lists(attempts), st.integers(1, 64), st.integers(0, 64))
def test_a_receiver_is_never_given_more_than_its_bound_nor_shut_out_for_long(
    history: list[Attempted], bound: int, in_flight: int
) -> None:
    known = CLOSED
    for attempted in history:
        known = observe(known, attempted, 100.0)
    assert 0 <= room(known, in_flight, bound, 100.0) <= max(0, bound - in_flight) or bound == 0
    assert known.paused_until <= 100.0 + MAX_PAUSE_S
    assert room(known, 0, bound, known.paused_until) >= 1, "after the pause there is at least a probe"


def test_a_failing_receiver_is_given_less_then_paused_then_probed_then_trusted_again() -> None:
    known, rooms = CLOSED, []
    for _ in range(4):
        rooms.append(room(known, 0, 8, 0.0))
        known = observe(known, Attempted(Ending.TIMEOUT), 0.0)
    assert rooms == [8, 4, 2, 1]
    assert room(known, 0, 8, 0.5) == 0
    assert (room(known, 0, 8, 1.0), room(known, 1, 8, 1.0)) == (1, 0)
    assert observe(known, Attempted(Ending.ANSWERED, status=200), 1.0) == CLOSED


def test_a_404_or_500_does_not_count_against_the_whole_receiver() -> None:
    for status in (404, 500):
        assert observe(Breaker(3, 9.0), Attempted(Ending.ANSWERED, status=status), 1.0) == CLOSED


def test_a_busy_receiver_is_paused_for_as_long_as_it_asks_up_to_a_minute() -> None:
    asked = Attempted(Ending.ANSWERED, status=429, retry_after_s=20.0)
    assert observe(CLOSED, asked, 0.0).paused_until == 20.0
    assert observe(CLOSED, Attempted(Ending.ANSWERED, status=503, retry_after_s=1e6), 0.0).paused_until == MAX_PAUSE_S


@given(st.integers(0, 100), st.dictionaries(st.text(max_size=3), st.integers(0, 20)))
def test_places_are_dealt_in_turn_and_none_is_wasted(free: int, rooms: dict[str, int]) -> None:
    dealt = deal(free, rooms)
    assert sum(dealt.values()) == min(free, sum(rooms.values()))
    assert all(0 < dealt[origin] <= rooms[origin] for origin in dealt)
    short = [dealt.get(origin, 0) for origin in rooms if dealt.get(origin, 0) < rooms[origin]]
    assert not short or max(dealt.values(), default=0) <= min(short) + 1, "none gets two more than one who waits"


def test_the_agenda_keeps_the_earliest_time_and_forgets_what_is_claimed() -> None:
    agenda = DueOrigins()
    agenda.hint("a", 5.0)
    agenda.hint("a", 9.0)
    agenda.correct({"b": 3.0, "a": 7.0})
    assert agenda.ready(5.0) == ["b", "a"]
    agenda.forget(["b"])
    assert agenda.ready(5.0) == ["a"]
    assert agenda.next_due(4.0) == 5.0
    assert agenda.next_due(6.0) is None


def test_a_date_far_off_is_capped_by_the_judge() -> None:
    seconds = retry_after_s("Fri, 01 Jan 2126 00:00:00 GMT", NOW)
    verdict = judge(Attempted(Ending.ANSWERED, status=503, retry_after_s=seconds), True, 1, DELAYS, 0.0)
    assert verdict.delay_s == timedelta(days=1).total_seconds()
