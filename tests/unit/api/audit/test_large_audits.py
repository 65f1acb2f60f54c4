"""A question about a long time: it holds the facts that it shows and no others, and does not stop other requests."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from piperoll.log.parking import Decoded, decode_accounted
from piperoll.log.record import Record
from services.api.audit import reading
from services.api.audit.reading import AuditQuery, AuditReader
from services.api.audit.recorder import AccessRecorder
from services.api.http.caller import Caller
from tests.support.memory_log import MemoryLog

NOW = datetime.now(UTC)
KEYS = 40
ITEMS = 50


@pytest.fixture
async def log() -> MemoryLog:
    seconds = count()
    filled = MemoryLog(3, clock=lambda: NOW + timedelta(seconds=next(seconds)))
    recorder = AccessRecorder(filled, lambda: NOW)
    for key in range(KEYS):
        for item in range(ITEMS):
            recorder.note(Caller(f"owner-{key % 2}", f"key-{key}", frozenset()), "GET", "/api/jobs/", f"job-{item}")
        await recorder.flush()
    return filled


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The thread in which each record was decoded."""
    threads: list[int] = []

    def decode(record: Record) -> Decoded:
        threads.append(threading.get_ident())
        return decode_accounted(record)

    monkeypatch.setattr(reading, "decode_accounted", decode)
    return threads


async def test_facts_that_are_not_shown_are_counted_and_not_decoded(log: MemoryLog, decoded: list[int]) -> None:
    found = await AuditReader(log, lambda: NOW).facts(AuditQuery.of({"limit": "2", "owner": "owner-1"}))
    assert found["total"] == KEYS / 2
    assert [fact["key_id"] for fact in found["facts"]] == [f"key-{KEYS - 1}", f"key-{KEYS - 3}"]
    assert len(decoded) == 2
    assert threading.get_ident() not in decoded, "the event loop serves other requests meanwhile"


async def test_an_answer_has_a_bounded_size(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    one = len(log.records(reading.AUDIT_EVENTS, 0)[0].value or b"")
    monkeypatch.setattr(reading, "MOST_BYTES", one * 7 // 2)
    found = await AuditReader(log, lambda: NOW).facts(AuditQuery.of({}))
    assert found["total"] == KEYS
    assert [fact["key_id"] for fact in found["facts"]] == [f"key-{KEYS - n}" for n in (1, 2, 3)]


async def test_a_fact_that_is_larger_than_an_answer_is_shown_alone(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1)
    found = await AuditReader(log, lambda: NOW).facts(AuditQuery.of({}))
    assert [fact["key_id"] for fact in found["facts"]] == [f"key-{KEYS - 1}"]
