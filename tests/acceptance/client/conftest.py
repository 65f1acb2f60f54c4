"""The clients against the running system."""

from collections.abc import AsyncIterator

import pytest

from piperoll.client import AsyncClient
from tests.support.stacks.system import System


@pytest.fixture
async def client(system: System) -> AsyncIterator[AsyncClient]:
    """A client with the key of the system's first owner, which is an admin."""
    async with AsyncClient(system.stack.api_url, system.stack.api_key) as one:
        yield one
