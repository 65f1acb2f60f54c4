"""What tests of the API share; a folder whose API has other settings has its own fixture `api`."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from piperoll import keys
from tests.support.stacks.api import Api, serving


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """The API beside a projector."""
    async with serving(environment) as serving_api:
        yield serving_api


@pytest.fixture
async def ready(pool: asyncpg.Pool) -> asyncpg.Pool:
    """Connections to a database with the tables of keys."""
    await keys.prepare(pool)
    return pool
