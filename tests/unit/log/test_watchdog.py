"""The verdict whether a consumer is alive: each partition moves, or there is nothing to move to."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.log.watchdog import STALL_LOOKS, StallWatch, observe, stalled

Look = tuple[dict[int, int], dict[int, int]]
"""Positions and ends."""

offsets = st.dictionaries(st.integers(0, 3), st.integers(0, 9), max_size=4)


def looked_at(*looks: Look) -> StallWatch:
    watch = StallWatch()
    for positions, ends in looks:
        watch = observe(watch, positions, ends)
    return watch


def test_a_partition_that_stands_still_short_of_its_end_is_stalled_after_so_many_looks() -> None:
    look = ({0: 10, 1: 20}, {0: 11, 1: 20})
    assert stalled(looked_at(*[look] * STALL_LOOKS)) == []
    assert stalled(looked_at(*[look] * (STALL_LOOKS + 1))) == [0]


def test_a_partition_that_moves_is_alive_however_far_behind() -> None:
    assert stalled(looked_at(*(({0: at}, {0: 10_000}) for at in range(60)))) == []


def test_a_partition_at_the_end_of_a_quiet_log_is_alive() -> None:
    assert stalled(looked_at(*[({0: 10}, {0: 10})] * 60)) == []


def test_one_partition_that_stands_still_is_a_stall_while_another_moves() -> None:
    looks: list[Look] = [({0: 10, 1: at}, {0: 11, 1: 10_000}) for at in range(STALL_LOOKS + 1)]
    assert stalled(looked_at(*looks)) == [0]


def test_a_partition_that_went_and_came_back_starts_again() -> None:
    standing: Look = ({0: 10}, {0: 11})
    assert stalled(looked_at(*[standing] * STALL_LOOKS, ({}, {}), *[standing] * STALL_LOOKS)) == []


def test_a_consumer_without_partitions_is_alive() -> None:
    assert stalled(looked_at(*[({}, {})] * 60)) == []  # type: ignore[list-item]


@given(st.lists(st.tuples(offsets, offsets), max_size=40))
def test_only_a_partition_that_stood_through_the_last_looks_is_stalled(looks: list[Look]) -> None:
    recent = looks[-STALL_LOOKS - 1 :]
    for part in stalled(looked_at(*looks)):
        assert len(recent) == STALL_LOOKS + 1
        assert len({positions.get(part) for positions, _ in recent}) == 1
        assert all(positions[part] < ends.get(part, 0) for positions, ends in recent[1:])
