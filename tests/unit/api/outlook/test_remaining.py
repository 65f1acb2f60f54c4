"""How long a running job will still take."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.outlook.remaining import by_others, by_pace, since

SECONDS = st.floats(0, 1e6)
SHARES = st.floats(0.001, 1)


@given(SHARES, SECONDS, st.none() | SECONDS, st.booleans())
def test_what_is_left_is_never_negative(share: float, elapsed_s: float, whole_s: float | None, alike: bool) -> None:
    left_s = by_pace(share, elapsed_s, whole_s, alike)
    assert left_s is None or left_s >= 0


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.booleans(), st.data())
def test_at_an_even_pace_less_is_left_with_each_step_and_nothing_at_the_end(
    whole_s: float, expected_s: float, alike: bool, data: st.DataObject
) -> None:
    """While the pace is at most what was expected; a slower job than that has to be corrected upwards."""
    whole_s = min(whole_s, expected_s)
    shares = sorted(data.draw(st.lists(SHARES, min_size=2, max_size=20)))
    left = [by_pace(share, share * whole_s, expected_s, alike) for share in [*shares, 1.0]]
    assert all(one is not None and two is not None and one >= two - 1e-6 for one, two in pairwise(left))
    assert left[-1] == pytest.approx(0)


@given(SHARES, st.floats(1, 1e4), st.floats(1, 1e4), st.booleans())
def test_the_estimate_is_between_what_was_expected_and_the_pace(
    share: float, whole_s: float, expected_s: float, alike: bool
) -> None:
    left_s = by_pace(share, share * whole_s, expected_s, alike)
    low, high = sorted(((1 - share) * expected_s, (1 - share) * whole_s))
    assert left_s is not None
    assert low - 1e-6 <= left_s <= high + 1e-6


@given(st.floats(0.001, 0.9), st.floats(1, 1e4), st.floats(1, 1e4), st.booleans())
def test_a_step_of_a_thousandth_does_not_make_the_estimate_jump(
    share: float, whole_s: float, expected_s: float, alike: bool
) -> None:
    one, two = (by_pace(at, at * whole_s, expected_s, alike) for at in (share, share + 0.001))
    assert one is not None
    assert two is not None
    assert abs(one - two) <= 0.01 * max(whole_s, expected_s)


def test_without_other_jobs_the_pace_counts_once_a_part_is_done() -> None:
    assert by_pace(0.01, 1.0, None) is None
    assert by_pace(0.25, 10.0, None) == pytest.approx(30)


def test_a_job_that_takes_longer_than_half_of_the_others_is_measured_by_the_longer_ones() -> None:
    others = [1.0, 2.0, 3.0, 10.0, 20.0]
    assert by_others(others, 0) == 3.0
    assert by_others(others, 5) == 10.0
    assert by_others(others, 30) is None


@given(st.none() | SECONDS, st.floats(-1e6, 1e6))
def test_an_estimate_gets_older_and_not_negative(left_s: float | None, ago_s: float) -> None:
    found = since(left_s, ago_s)
    assert (found is None) == (left_s is None)
    assert found is None or left_s is None or 0 <= found <= left_s
