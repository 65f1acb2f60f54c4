"""A rolling restart of all services under load: a client sees no more than a connection that it may repeat."""

from pathlib import Path

import pytest

from tests.chaos.roll.run import roll


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that Postgres's account may traverse."""
    tmp_path.chmod(0o711)
    return tmp_path


async def test_a_rolling_restart_of_all_services_under_load_is_seen_by_no_client(folder: Path) -> None:
    verdict = await roll(folder, seed=1, minutes=0, say=print)
    assert verdict.broken == [], verdict.seen
    assert len(verdict.seen.jobs) > 50
    assert verdict.seen.uploads, "a file was uploaded"
    assert verdict.seen.batches, "a batch was posted"
    assert verdict.seen.kept, "a document was added"
    assert verdict.seen.removed, "a document was removed"
    assert verdict.seen.endpoints > 1, "an endpoint was registered and removed"
    assert verdict.seen.repeats, "no process was stopped while clients used it"
