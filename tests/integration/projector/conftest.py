"""A projector beside a real log."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from piperoll.log.kafka import KafkaOffsets
from piperoll.log.producer import KafkaAppender
from piperoll.log.topics.admin import create_topics
from piperoll.settings import Settings
from tests.support.projector.library import Library
from tests.support.projector.running import Log
from tests.support.projector.tables import Projecting, Projectors
from tests.support.stacks.projected import opened


@pytest.fixture(scope="module")
async def log(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Log]:
    async with opened(tmp_path_factory.mktemp("stack"), Log) as log:
        yield log


@pytest.fixture(scope="module")
async def projectors(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Projectors]:
    await create_topics(settings)
    offsets = KafkaOffsets(settings)
    appender = KafkaAppender(settings, "tests")
    await offsets.start()
    await appender.start()
    made = Projectors(settings, pool, offsets, appender)
    yield made
    await made.close()
    await appender.stop()
    await offsets.stop()


@pytest.fixture
async def projecting(projectors: Projectors) -> Projecting:
    return await projectors.make()


@pytest.fixture(scope="module")
async def library(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    async with opened(tmp_path_factory.mktemp("stack"), Library) as library:
        yield library
        await library.close()
