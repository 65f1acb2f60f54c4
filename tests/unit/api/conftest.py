"""The app over a log in memory and local blobs, without Postgres."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.stacks.memory_api import MemoryApi, memory_api


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[MemoryApi]:
    async with memory_api(tmp_path) as made:
        yield made
