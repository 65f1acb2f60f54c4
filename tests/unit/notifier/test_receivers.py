"""How much a receiver gets: bounds, pauses and probes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.retry_after import retry_after_s
from services.notifier.delivery.breaker import CLOSED, MAX_PAUSE_S, Breaker, observe, room
from services.notifier.delivery.verdict import (
    judge,
)
from tests.support.histories.hooks import DELAYS, NOW, attempts


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


def test_a_date_far_off_is_capped_by_the_judge() -> None:
    seconds = retry_after_s("Fri, 01 Jan 2126 00:00:00 GMT", NOW)
    verdict = judge(Attempted(Ending.ANSWERED, status=503, retry_after_s=seconds), True, 1, DELAYS, 0.0)
    assert verdict.delay_s == timedelta(days=1).total_seconds()
