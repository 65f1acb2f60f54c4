"""Durations in bins: a few numbers keep the shape of any number of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.durations import LAST, bin_of, bins_of, quantile

durations = st.floats(0.001, 1e6)


@given(st.lists(durations, min_size=1, max_size=50))
def test_a_quantile_is_off_by_at_most_a_tenth(some: list[float]) -> None:
    bins, ordered = bins_of(some), sorted(some)
    assert sum(bins) == len(some)
    for share, exact in ((0.5, ordered[(len(some) + 1) // 2 - 1]), (1.0, ordered[-1])):
        assert quantile(bins, share) == pytest.approx(exact, rel=0.1)


@given(durations, durations)
def test_a_longer_duration_is_in_no_earlier_bin(one: float, other: float) -> None:
    assert bin_of(min(one, other)) <= bin_of(max(one, other))


def test_there_is_a_bin_for_everything() -> None:
    assert bin_of(0) == bin_of(-5) == bin_of(0.0005) == 0, "a writer's clock may be behind that of another one"
    assert bin_of(1e30) == LAST


def test_no_durations_have_no_quantile() -> None:
    assert bins_of([]) == []
    assert quantile([], 0.5) is None
    assert quantile([0, 0], 0.5) is None
