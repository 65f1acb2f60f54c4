"""Keyed creations and a read model that does not have the whole log: what the worker is asked to look up."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest

from piperoll.log.kafka import KafkaOffsets
from piperoll.settings import Settings
from schemas.events import BatchCreated, JobCreated
from schemas.ids import keyed_id
from schemas.topics import JOB_EVENTS
from tests.support.stacks.api import NOOP, Api, serving, without_projector

BODIES = [("job", "/api/jobs", NOOP), ("batch", "/api/jobs/batch", {"jobs": [NOOP]})]


@pytest.fixture
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    """An API that has read no end of the log yet."""
    async with serving(environment) as serving_api:
        yield serving_api


async def marks(settings: Settings, subject: str) -> list[bool]:
    """Of each creation of an id in the log, whether it is unchecked."""
    offsets = KafkaOffsets(settings)
    await offsets.start()
    ends = await offsets.end_offsets(JOB_EVENTS)
    records = await offsets.read_range(JOB_EVENTS, dict.fromkeys(ends, 0), ends)
    await offsets.stop()
    facts = [record.fact().data for record in records if record.key == subject.encode()]
    return [data.unchecked for data in facts if isinstance(data, JobCreated | BatchCreated)]


@pytest.mark.parametrize(("kind", "path", "body"), BODIES, ids=["job", "batch"])
async def test_a_creation_is_checked_by_a_read_model_that_has_caught_up_and_not_by_one_that_is_filled_anew(
    api: Api, settings: Settings, pool: asyncpg.Pool, kind: str, path: str, body: dict[str, object]
) -> None:
    await asyncio.gather(*(api.create() for _ in range(2 * settings.partitions)))
    known, new = uuid4().hex, uuid4().hex
    await api.client.post(path, json=body, headers={"Idempotency-Key": known})
    assert await marks(settings, keyed_id(kind, "local", known)) == [False]
    async with without_projector(api):
        await pool.execute("TRUNCATE read_v1.jobs, read_v1.events, read_v1.batches, read_v1.batch_counts")
        await pool.execute("UPDATE read_v1.checkpoints SET next_offset = 0, last_ce_id = NULL")
        for key in (known, new):
            reply = await api.client.post(path, json=body, headers={"Idempotency-Key": key})
            assert reply.status_code == 200, reply.text
            assert reply.headers["Piperoll-Idempotency"] == "unchecked"
    assert await marks(settings, keyed_id(kind, "local", known)) == [False, True]
    assert await marks(settings, keyed_id(kind, "local", new)) == [True]
