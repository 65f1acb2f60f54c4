"""`/api/system` without Postgres and without a Kafka: it names what it does not know, and shows the rest."""

import asyncio
from datetime import UTC, datetime

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaConnectionError, TopicAuthorizationFailedError

from piperoll import verification
from piperoll.clock import utc_now
from piperoll.log.topics.groups import Group
from piperoll.postgres import connect_pool
from piperoll.store.blobs import BlobStoreError
from piperoll.verification import Verification
from schemas.topics import AUDIT_EVENTS, JOB_EVENTS
from services.api.http.database import TURNS, bounded_query
from services.api.log.facts import FactLog
from services.api.system.letters import Letters
from services.api.system.overview import Overview
from services.api.system.reasons import AWAY, reason_of
from services.api.system.tables import SystemTables
from tests.support.stacks.memory_api import MemoryApi

VIOLATED = Verification(
    holds=False,
    ended_at=datetime(2026, 1, 1, tzinfo=UTC),
    seconds=2.52,
    records=9,
    jobs=2,
    documents=0,
    violations=1,
    sentences=("I3 job-a: is in the log and not in the tables",),
)
PARTS = {"services", "queue", "receivers", "plots", "api_processes"}


async def test_parts_that_do_not_answer_are_named_and_the_others_are_shown(api: MemoryApi) -> None:
    await verification.keep(api.blobs, VIOLATED)
    reply = await api.client.get("/api/system")
    assert reply.status_code == 200
    found = reply.json()["data"]
    assert found["unknown"].keys() == PARTS
    assert found["unknown"]["services"] == "Kafka does not answer"
    assert found["services"] is found["queue"] is found["receivers"] is found["plots"] is None
    assert found["dead_letters"] == {"count": 0, "stopped": 0, "places": [], "newest": [], "complete": True}
    assert (found["verify"]["verdict"], found["verify"]["ended_at"]) == ("violated", "2026-01-01T00:00:00Z")
    assert found["verify"]["sentences"] == ["I3 job-a: is in the log and not in the tables"]


async def test_a_look_takes_no_turn_of_the_owner_that_asks_for_it(api: MemoryApi) -> None:
    async def groups() -> list[Group]:
        async with bounded_query("groups", 0.1):
            return []

    TURNS.set(asyncio.Semaphore(0))
    pool = await connect_pool("postgresql://user@127.0.0.1:1/none", min_size=0)
    letters = Letters(api.log, api.log, FactLog(api.log, AUDIT_EVENTS, utc_now, 1.0))
    try:
        found = await Overview(SystemTables(pool, 0.1), groups, api.log, letters, api.blobs, utc_now).now()
    finally:
        pool.terminate()
    assert "services" not in found["unknown"]
    assert found["unknown"]["queue"] == "the read model does not answer at present"


async def test_an_installation_that_was_never_verified_has_no_verdict(api: MemoryApi) -> None:
    found = (await api.client.get("/api/system")).json()["data"]
    assert found["verify"] is None
    assert "verify" not in found["unknown"]


async def test_what_waits_for_no_decision_is_not_found(api: MemoryApi) -> None:
    await api.log.append_raw(JOB_EVENTS, b"job-a", b"{}", [])
    for name in ("jobs-0-0", "jobs-99-1", "else-0-0", "jobs", "x" * 3000):
        reply = await api.client.post(f"/api/system/dead-letters/{name}/redrive")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (GroupAuthorizationFailedError("piperoll.worker"), "topics acl"),
        (TopicAuthorizationFailedError("piperoll.dead-letters.v1"), "topics acl"),
        (KafkaConnectionError("refused"), "Kafka does not answer"),
        (BlobStoreError("away"), "blob store"),
        (TimeoutError(), "in time"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_the_reason_names_what_to_look_at(error: Exception, sentence: str) -> None:
    assert isinstance(error, AWAY)
    assert sentence in reason_of(error)
