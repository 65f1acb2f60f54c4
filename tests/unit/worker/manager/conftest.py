"""A blob store and a log that fails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from piperoll.store.blobs import AsyncBlobs, Blobs
from tests.support.runs.findings import FaultyLog


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs((tmp_path / "blobs").as_uri()))
    yield store
    store.close()


@pytest.fixture
def log() -> FaultyLog:
    return FaultyLog(partitions=3)
