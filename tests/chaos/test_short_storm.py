"""A short storm: real processes, seeded faults, a verdict about every job. `make chaos` runs longer ones."""

import random
from pathlib import Path

import pytest

from tests.chaos.storm.run import report, schedule, storm

SEED = 4
MINUTES = 0.5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that Postgres's account may traverse."""
    tmp_path.chmod(0o711)
    return tmp_path


async def test_a_short_storm_loses_and_doubles_nothing(folder: Path) -> None:
    lines: list[str] = []
    verdict = await storm(folder, SEED, MINUTES, lines.append)
    report(SEED, verdict, lines.append)
    assert verdict.holds, "\n".join(lines)
    assert verdict.acknowledged > 0
    assert verdict.hooks > 0


def test_the_same_seed_draws_the_same_faults() -> None:
    assert schedule(random.Random(SEED)) == schedule(random.Random(SEED))
    assert schedule(random.Random(SEED)) != schedule(random.Random(SEED + 1))
