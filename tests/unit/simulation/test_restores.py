"""Restores of Postgres that once did harm, as the schedules to which they were shrunk."""

import pytest

from tests.support.simulation.playing import play
from tests.support.simulation.schedule import Act, Fault, Schedule
from tests.support.simulation.searching import explain


def restored(at_s: float, ago_s: float) -> Fault:
    return Fault(at_s, "tables_restored", "postgres", ago_s)


def hooked(at_s: float, subject: str = "job-0") -> Act:
    return Act(at_s, "create", subject, seconds=0.5, moods=())


def expect_nothing(schedule: Schedule) -> None:
    if play(schedule)[1]:
        pytest.fail(explain(schedule), pytrace=False)


def test_readers_without_a_record_notice_that_their_tables_went_back() -> None:
    expect_nothing(Schedule(1, (), (restored(5.5, 5.9),)))


@pytest.mark.parametrize("seed", range(6))
def test_what_was_projected_and_delivered_is_projected_and_not_delivered_again(seed: int) -> None:
    expect_nothing(Schedule(seed, (hooked(0.5), hooked(1.0, subject="job-1")), (restored(6.0, 5.0),)))


@pytest.mark.parametrize("seed", range(6))
def test_nor_is_it_by_a_notifier_whose_deliveries_another_one_reads_now(seed: int) -> None:
    faults = (restored(6.0, 5.0), Fault(6.1, "rebalance", "notifier.deliveries"))
    crew = ("worker-1", "projector-1", "notifier-1", "notifier-2")
    expect_nothing(Schedule(seed, (hooked(0.5), hooked(1.0, subject="job-1")), faults, crew))


def test_no_progress_follows_a_failed_attempt_that_only_the_log_knows() -> None:
    failed = Act(0.984, "create", "job-1", failures=1, fatal=True, moods=(0, 503))
    expect_nothing(Schedule(116, (failed,), (restored(4.977, 4.577),)))
