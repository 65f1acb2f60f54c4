"""The process manager of removal over a log in memory and a folder of blobs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from piperoll.store.blobs import AsyncBlobs, Blobs
from tests.support.memory_log import MemoryLog
from tests.support.runs.removing import Removing


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield store
    store.close()


@pytest.fixture
async def removing(blobs: AsyncBlobs) -> AsyncIterator[Removing]:
    one = Removing(MemoryLog(partitions=3), blobs)
    yield one
    await one.stop()
