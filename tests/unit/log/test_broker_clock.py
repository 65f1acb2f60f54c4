"""The brokers' time on a machine whose own clock is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from piperoll.log.broker_clock import BrokerClock

TRUE = datetime(2026, 1, 1, tzinfo=UTC)


class Machine:
    """A machine whose clock is `wrong` by so much; `passed` seconds have passed in truth."""

    def __init__(self, wrong: timedelta) -> None:
        self.wrong = wrong
        self.passed = 0.0
        self.clock = BrokerClock(self.own, lambda: 1000 + self.passed)

    def own(self) -> datetime:
        return self.true() + self.wrong

    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.passed)

    def append(self, took_s: float = 0.01) -> None:
        """An append that a broker stamped halfway."""
        stamped = self.true() + timedelta(seconds=took_s / 2)
        self.passed += took_s
        self.clock.sample(int(stamped.timestamp() * 1000), took_s)

    def error_s(self) -> float:
        return abs((self.clock() - self.true()).total_seconds())


@pytest.mark.parametrize("wrong", [timedelta(hours=2), timedelta(hours=-1), timedelta(days=1)])
def test_one_append_corrects_a_wrong_clock_and_the_difference_is_named(wrong: timedelta) -> None:
    machine = Machine(wrong)
    assert machine.error_s() == abs(wrong.total_seconds())
    machine.append()
    assert machine.error_s() < 0.1
    assert f"{abs(wrong.total_seconds()):.0f} s" in (machine.clock.problem() or "")
    machine.passed += 3600
    assert machine.error_s() < 0.1


def test_a_right_clock_is_used_as_it_is() -> None:
    machine = Machine(timedelta(0))
    for took_s in (0.01, 0.3, 0.9):
        machine.append(took_s)
        assert machine.clock() == machine.own()
    assert machine.clock.problem() is None


def test_a_step_of_the_machines_clock_has_no_effect_after_a_correction() -> None:
    machine = Machine(timedelta(hours=2))
    machine.append()
    machine.wrong = timedelta(hours=-3)
    assert machine.error_s() < 0.1


def test_a_slow_append_says_nothing_about_the_time() -> None:
    machine = Machine(timedelta(hours=1))
    machine.append(took_s=600)
    assert machine.error_s() == 3600


def test_a_record_that_is_read_shows_that_a_clock_is_behind() -> None:
    machine = Machine(timedelta(hours=-1))
    machine.clock.read(int((machine.true() - timedelta(days=1)).timestamp() * 1000))
    assert machine.error_s() == 3600, "an old record proves nothing"
    machine.clock.read(int(machine.true().timestamp() * 1000))
    assert machine.error_s() < 0.1


def test_another_servers_time_is_used_before_the_first_append() -> None:
    machine = Machine(timedelta(days=1))
    machine.clock.follow(machine.true() + timedelta(seconds=1))
    assert machine.error_s() == 1
    machine.append()
    assert machine.error_s() < 0.1
