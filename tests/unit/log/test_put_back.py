"""Partitions that a consumer put back, because another process holds their checkpoints."""

import pytest

from piperoll.log import put_back
from piperoll.log.contract import PartitionBusyError
from piperoll.log.put_back import PATIENCE_S, PAUSE_S, PutBack


class Time:
    """The monotonic clock of these tests."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(put_back, "time", found)
    return found


def test_a_partition_is_read_again_after_a_pause(time: Time) -> None:
    held = PutBack("topic")
    held.add(3, PartitionBusyError("worker-1"))
    assert held.due() == []
    time.now += PAUSE_S
    assert held.due() == [3]
    held.add(3, PartitionBusyError("worker-1"))
    assert held.due() == []


def test_only_a_lock_that_lasts_is_a_problem_and_its_holder_is_named(time: Time) -> None:
    held = PutBack("topic")
    held.add(3, PartitionBusyError("worker-1"))
    assert held.problem() is None, "two processes meet at every rebalance"
    time.now += PATIENCE_S + 1
    held.add(3, PartitionBusyError("worker-1"))
    assert held.problem() == "topic: partitions [3] are locked by worker-1"
    held.clear(3)
    assert held.problem() is None
    assert held.due() == []
