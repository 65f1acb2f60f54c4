"""What keys read and erased, collected and read back, over a log in memory."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from piperoll.log.contract import OutcomeUnknownError
from schemas.events import ContentAccessed
from schemas.topics import AUDIT_EVENTS
from services.api.audit import recorder as recording
from services.api.audit.reading import AuditQuery, AuditReader
from services.api.audit.recorder import MOST_ITEMS, AccessRecorder
from services.api.http.caller import Caller
from services.api.http.errors import ApiError
from tests.support.memory_log import MemoryLog
from tests.support.stacks.memory_api import MemoryApi, error
from tests.support.waiting import wait_until

NOW = datetime.now(UTC)
READER = Caller("acme", "key-1", frozenset({"read"}))
OTHER = Caller("other", "key-2", frozenset({"jobs"}))
JOB = "/api/jobs/{job_id}"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog(3)


def recorder_of(log: Any) -> AccessRecorder:
    return AccessRecorder(log, lambda: NOW)


async def shown(log: MemoryLog, **query: str) -> list[dict[str, Any]]:
    found = await AuditReader(log, lambda: NOW).facts(AuditQuery.of(query))
    return list(found["facts"])


async def test_many_requests_of_a_key_are_one_fact_with_counts(log: MemoryLog) -> None:
    recorder = recorder_of(log)
    for _ in range(3):
        recorder.note(READER, "GET", JOB, "job-1")
    recorder.note(READER, "GET", JOB, "job-2")
    recorder.note(READER, "GET", "/api/jobs/", None)
    recorder.note(OTHER, "POST", "/api/jobs/", None)
    assert sum((await log.end_offsets(AUDIT_EVENTS)).values()) == 0, "nothing is appended by a request"
    await recorder.flush()
    await recorder.flush()
    (fact,) = await shown(log)
    assert (fact["type"], fact["owner"], fact["key_id"], fact["action"]) == ("ContentAccessed", "acme", "key-1", "read")
    assert fact["items"] == [
        {"route": f"GET {JOB}", "id": "job-1", "times": 3},
        {"route": f"GET {JOB}", "id": "job-2", "times": 1},
        {"route": "GET /api/jobs/", "times": 1},
    ]


async def test_a_fact_is_bounded_and_counts_what_it_does_not_list(log: MemoryLog) -> None:
    recorder = recorder_of(log)
    for number in range(MOST_ITEMS + 5):
        recorder.note(READER, "GET", JOB, f"job-{number}")
    recorder.note(READER, "GET", JOB, "job-1")
    await recorder.flush()
    (fact,) = await shown(log)
    assert (len(fact["items"]), fact["unlisted"]) == (MOST_ITEMS, 5)
    assert fact["items"][1]["times"] == 2


async def test_an_erasure_is_appended_soon_and_reads_later(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "ERASED_S", 0.01)
    recorder, stopping = recorder_of(log), asyncio.Event()
    running = asyncio.create_task(recorder.run(stopping))
    recorder.note(READER, "DELETE", JOB, "job-1")

    async def erased() -> bool:
        return [one["action"] for one in await shown(log)] == ["erased"]

    await wait_until(erased, 10, "the fact of the erasure")
    stopping.set()
    recorder.note(READER, "DELETE", JOB, "job-2")
    await running


class Away:
    """A log that acknowledges nothing until it is back."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.back = False

    async def append(self, *arguments: Any) -> Any:
        if not self.back:
            raise OutcomeUnknownError("away")
        return await self.log.append(*arguments)


async def test_facts_wait_while_kafka_is_away_and_the_oldest_are_dropped(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_FACTS", 2)
    away = Away(log)
    recorder = recorder_of(away)
    for number in range(3):
        recorder.note(READER, "GET", JOB, f"job-{number}")
        await recorder.flush()
    away.back = True
    await recorder.flush()
    assert sorted(one["items"][0]["id"] for one in await shown(log)) == ["job-1", "job-2"]


async def test_facts_are_filtered_newest_first_and_what_is_no_fact_is_left_out(log: MemoryLog) -> None:
    for minutes, caller in enumerate((READER, OTHER, READER)):
        recorder = AccessRecorder(log, lambda at=NOW + timedelta(minutes=minutes): at)
        recorder.note(caller, "GET", JOB, f"job-{minutes}")
        await recorder.flush()
    await log.append_raw(AUDIT_EVENTS, b"key-1", b"no event", [])
    assert [one["items"][0]["id"] for one in await shown(log)] == ["job-2", "job-1", "job-0"]
    assert [one["items"][0]["id"] for one in await shown(log, owner="acme", limit="1")] == ["job-2"]
    assert [one["items"][0]["id"] for one in await shown(log, key_id="key-2")] == ["job-1"]
    assert await shown(log, since="2999-01-01T00:00:00Z") == []
    with pytest.raises(ApiError) as refused:
        await shown(log, since="yesterday")
    assert refused.value.status == 400


async def test_the_route_is_for_admins(api: MemoryApi) -> None:
    reply = await api.client.get("/api/audit")
    assert reply.status_code == 200, reply.text
    assert reply.json()["data"] == {"total": 0, "facts": []}
    assert error(await api.client.get("/api/audit", params={"since": "x"}), 400)["details"]


def test_a_fact_of_access_has_no_content() -> None:
    assert ContentAccessed.model_fields.keys() == {"action", "since", "items", "unlisted"}
