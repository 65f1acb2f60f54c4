"""What tests of documents and folders share."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from piperoll.settings import Settings
from tests.support.stacks.api import Api
from tests.support.stacks.document_api import (
    a_stranger,
    serving_documents,
)


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    async with serving_documents(environment) as serving_api:
        yield serving_api


@pytest.fixture(scope="module")
async def stranger(api: Api, pool: asyncpg.Pool, settings: Settings) -> dict[str, str]:
    return await a_stranger(pool, settings)
