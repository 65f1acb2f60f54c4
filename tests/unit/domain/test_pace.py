"""An owner that sends without a pause is spread over time while others use the process, and alone is not held up."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.pace import BURST_S, SHARED_S, Pace

PER_S = 100
BURST = round(PER_S * BURST_S)


def test_an_owner_that_is_alone_waits_for_nothing() -> None:
    pace = Pace(PER_S)
    assert [pace.wait("greedy", 0.0) for _ in range(1000)] == [0.0] * 1000


def test_beside_another_owner_requests_beyond_a_burst_are_spread_over_time() -> None:
    pace = Pace(PER_S)
    pace.wait("modest", 0.0)
    waits = [pace.wait("greedy", 1.0) for _ in range(BURST + PER_S + 1)]
    assert waits[:BURST] == [0.0] * BURST
    assert round(waits[-1], 6) == 1.0


def test_the_other_owner_waits_for_nothing() -> None:
    pace = Pace(PER_S)
    pace.wait("modest", 0.0)
    for _ in range(1000):
        pace.wait("greedy", 1.0)
    assert pace.wait("modest", 1.0) == 0.0


def test_an_owner_is_free_again_when_the_others_have_left() -> None:
    pace = Pace(PER_S)
    pace.wait("modest", 0.0)
    for _ in range(1000):
        pace.wait("greedy", 1.0)
    assert pace.wait("greedy", SHARED_S) == 0.0


def test_requests_of_many_owners_do_not_hide_one_another() -> None:
    pace = Pace(PER_S)
    pace.wait("modest", 0.0)
    pace.wait("greedy", 0.0)
    assert any(pace.wait("greedy", 0.0) for _ in range(2 * BURST))


@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=300))
def test_beside_others_no_second_has_more_than_the_pace_and_a_burst(gaps: list[float]) -> None:
    pace, now, starts = Pace(PER_S), 0.0, []
    for gap in gaps:
        now += gap
        pace.wait("modest", now)
        starts.append(now + pace.wait("greedy", now))
    assert starts == sorted(starts)
    assert all(sum(begin <= one < begin + 1 for one in starts) <= PER_S + BURST + 1 for begin in starts)


@given(st.integers(1, 50))
def test_an_owner_below_the_pace_waits_for_nothing(per_s: int) -> None:
    pace = Pace(PER_S)
    for number in range(3 * per_s):
        now = number / per_s
        pace.wait("modest", now)
        assert pace.wait("busy", now) == 0.0
