"""All services through thousands of small courses of events: what is promised holds in each of them.

`PIPEROLL_SIMULATION_SEEDS=5000` plays more of them, `PIPEROLL_SIMULATION_SEEDS=17:18` those from a seed up to another.
"""

import os
import subprocess
import sys

import pytest

from tests.support.repository import ROOT
from tests.support.simulation.judging import digest_of
from tests.support.simulation.playing import play
from tests.support.simulation.schedule import FAULTS, KINDS, LARGE, Schedule, draw_schedule
from tests.support.simulation.searching import explain, first_failure

FEW = "150"
DEEP = 12


def seeds() -> range:
    begin, colon, end = os.environ.get("PIPEROLL_SIMULATION_SEEDS", FEW).partition(":")
    return range(int(begin), int(end)) if colon else range(int(begin))


def test_whatever_goes_wrong_every_promise_holds() -> None:
    expect_nothing(first_failure(seeds()))


def test_long_courses_with_many_faults_keep_the_promises_too() -> None:
    expect_nothing(first_failure(range(DEEP), size=LARGE))


def expect_nothing(found: Schedule | None) -> None:
    if found is not None:
        pytest.fail(explain(found), pytrace=False)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_drawn_and_struck(kind: str) -> None:
    drawn = [fault for seed in range(400) for fault in draw_schedule(seed).faults if fault.kind == kind]
    assert {fault.target for fault in drawn} == set(FAULTS[kind][0])


@pytest.mark.parametrize("seed", range(8))
def test_the_same_schedule_is_the_same_course_of_events(seed: int) -> None:
    first, again = (digest_of(play(draw_schedule(seed))[0]) for _ in range(2))
    assert first == again


def test_a_seed_is_the_same_course_of_events_in_another_process() -> None:
    """Sets of texts have another order there."""
    program = "from tests.unit.simulation.test_schedules import digests; print(*digests())"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    output = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True)
    assert output.stdout.decode().split()[-len(digests()) :] == digests()


def digests() -> list[str]:
    return [digest_of(play(draw_schedule(seed, size=LARGE))[0]) for seed in range(3)]
