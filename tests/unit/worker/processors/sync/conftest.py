"""A source folder and runs of the `sync` processor over it."""

from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs
from tests.support.runs.sync import Syncing


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in" / "Ablage"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def syncing(tmp_path: Path, source: Path) -> Syncing:
    return Syncing(tmp_path, Blobs(f"file://{tmp_path}/blobs"), source.as_uri())
