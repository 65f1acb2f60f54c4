"""How often the relay asks for facts."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from piperoll.background import Background
from schemas.topics import JOB_DELIVERIES
from services.notifier.delivery import relay
from services.notifier.delivery.relay import Relay
from services.notifier.outbox import SQL
from tests.support.memory_log import MemoryLog
from tests.support.simulation.postgres.pool import ModelPool
from tests.support.simulation.postgres.server import ModelConnection, ModelPostgres
from tests.unit.notifier.test_assembly import postgres

__all__ = ["postgres"]
DATA = '{"delivery_id": "msg-1", "phase": "completed", "attempt": 1, "status": 200, "duration_ms": 1}'


@pytest.mark.parametrize(("facts", "reads"), [(0, 1), (1, 1), (2, 2), (3, 2)])
async def test_only_a_full_group_is_followed_by_another_read_at_once(
    postgres: ModelPostgres, monkeypatch: pytest.MonkeyPatch, facts: int, reads: int
) -> None:
    monkeypatch.setattr(relay, "GROUP", 2)
    asked, fetch = list[str](), ModelConnection.fetch

    async def counted(self: ModelConnection, statement: str, *arguments: Any) -> Any:
        asked.append(statement)
        return await fetch(self, statement, *arguments)

    monkeypatch.setattr(ModelConnection, "fetch", counted)
    for number in range(facts):
        fact = {"id": number, "ce_id": f"fact-{number}", "job_id": f"job-{number}", "owner": "owner"}
        more = {"time": datetime(2026, 1, 1, tzinfo=UTC), "type": "WebhookDelivered", "data": DATA}
        postgres.tables["outbox"][number] = {**fact, **more}
    log, stopping = MemoryLog(), asyncio.Event()
    stopping.set()

    async def nothing(connection: object) -> None:
        return None

    pool = ModelPool(postgres, nothing)
    await Relay(cast(Any, pool), log, asyncio.Event(), Background(stopping)).run(stopping)
    assert asked.count(SQL["read_outbox"]) == reads
    assert postgres.tables["outbox"] == {}
    assert sum((await log.end_offsets(JOB_DELIVERIES)).values()) == facts
