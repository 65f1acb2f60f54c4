"""What tests of trials share."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from services.api.trials.posting import Trials
from tests.support.servers.receiver import Receiver
from tests.support.stacks.trying import trying


@pytest.fixture
def owner() -> str:
    return f"owner-{uuid4().hex[:8]}"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
async def trials(ready: asyncpg.Pool) -> AsyncIterator[Trials]:
    async with trying(ready) as trials:
        yield trials
