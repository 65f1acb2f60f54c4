"""What tests of sessions share."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stacks.api import Api, serving


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """An API that remembers keys and sessions for a day: what it knows at once, it knows by itself."""
    async with serving(
        {**environment, "PIPEROLL_KEY_CACHE_S": "86400", "PIPEROLL_PAGE_SESSION_S": "3600"}
    ) as serving_api:
        yield serving_api
