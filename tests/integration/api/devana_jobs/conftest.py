"""What tests of `GET /v1/jobs` share."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.stacks.api import Api, serving


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    async with serving({**environment, "PIPEROLL_RATE_LIMIT": "10000"}) as serving_api:
        yield serving_api


@pytest.fixture
def target() -> str:
    """The target of the jobs of one test: all tests of the module share an owner."""
    return f"target-{uuid4().hex[:8]}"
