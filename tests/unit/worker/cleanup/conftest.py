"""A blob store and an eraser over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from piperoll.store.blobs import AsyncBlobs, Blobs
from tests.support.runs.erasing import Erasing


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[AsyncBlobs]:
    store = AsyncBlobs(Blobs(tmp_path.as_uri()))
    yield store
    store.close()


@pytest.fixture
async def erasing(blobs: AsyncBlobs) -> AsyncIterator[Erasing]:
    one = Erasing(blobs)
    yield one
    await one.stop()
