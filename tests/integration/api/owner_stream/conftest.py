"""What tests of the stream of an owner share."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from piperoll.settings import Settings
from tests.support.stacks.feeding import Projected, projected_tables


@pytest.fixture(scope="module")
async def projected(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Projected]:
    async with projected_tables(settings, pool) as made:
        yield made
