"""A failing schedule is made short, and its message has what a person needs."""

import re

import pytest

from services.notifier.delivery.relay import Relay
from tests.support.simulation.playing import play
from tests.support.simulation.schedule import Act, Fault, Schedule, draw_schedule
from tests.support.simulation.searching import explain, first_failure
from tests.support.simulation.shrinking import shrink


def acts(*names: str) -> tuple[Act, ...]:
    return tuple(Act(float(number), "create", name) for number, name in enumerate(names))


def test_what_the_failure_does_not_need_is_left_out() -> None:
    faults = tuple(Fault(float(number), "crash_at_await", f"worker-{number}") for number in range(7))
    schedule = Schedule(1, acts(*"abcdefg"), faults)
    played: list[Schedule] = []

    def fails(one: Schedule) -> bool:
        played.append(one)
        names = {act.subject for act in one.acts}
        return {"b", "f"} <= names and any(fault.target == "worker-4" for fault in one.faults)

    short = shrink(schedule, fails)
    assert [act.subject for act in short.acts] == ["b", "f"]
    assert [fault.target for fault in short.faults] == ["worker-4"]
    assert len(played) < 60


def test_a_failure_that_needs_everything_stays_as_it_is() -> None:
    schedule = Schedule(1, acts("a", "b", "c"), ())
    assert shrink(schedule, lambda one: len(one) == 3) == schedule


def test_a_failing_seed_is_shrunk_and_shown_with_the_violation_and_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgetful(self: Relay, rows: list[dict[str, int]]) -> list[int]:
        return [row["id"] for row in rows]

    monkeypatch.setattr(Relay, "_append", forgetful)
    schedule = first_failure(range(20))
    assert schedule is not None
    message = explain(schedule)
    assert message == explain(schedule), "it is reproduced exactly"
    assert message.count("Act(") == 1
    assert message.count("Fault(") == 0
    assert "I4: job-" in message
    assert re.search(r"jobs\.events \d:\d+  JobCreated", message)


def test_a_drawn_schedule_that_is_played_with_nothing_gone_wrong_runs_each_job_once() -> None:
    for seed in range(20):
        drawn = draw_schedule(seed)
        calm = Schedule(seed, tuple(act for act in drawn.acts if act.kind == "create"), ())
        world, violations = play(calm)
        assert violations == []
        tries = {act.subject: min(act.failures, 2) if not act.fatal else 0 for act in calm.acts}
        assert {name: len(world.stage.runs_of(name)) - 1 for name in tries} == tries
