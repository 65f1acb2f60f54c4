"""How facts of the audit get to the log: one that cannot be appended holds up no other, and none is lost or early."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from piperoll import keys
from piperoll.log.contract import AppendError
from piperoll.log.record import Position
from schemas.envelope import Fact
from services.api.audit import key_facts
from services.api.audit import recorder as recording
from services.api.audit.key_facts import KeyFacts
from services.api.audit.recorder import AccessRecorder
from services.api.http.caller import Caller
from tests.support.waiting import wait_until

NOW = datetime.now(UTC)
READER = Caller("acme", "key-1", frozenset({"jobs"}))
JOB = "/api/jobs/{job_id}"


class SlowLog:
    """Takes facts, each after a turn of the loop, but for those of the keys in `refuses`."""

    def __init__(self, refuses: frozenset[str] = frozenset()) -> None:
        self.refuses = refuses
        self.facts: list[Fact] = []

    async def append(self, topic: Any, fact: Fact, deadline_s: float | None = None) -> Position:
        await asyncio.sleep(0)
        if fact.subject in self.refuses:
            raise AppendError("the record is too large")
        self.facts.append(fact)
        return Position(0, len(self.facts))

    @property
    def actions(self) -> list[str]:
        return [fact.data.model_dump()["action"] for fact in self.facts]


def recorder_of(log: Any) -> AccessRecorder:
    return AccessRecorder(log, lambda: NOW)


async def test_a_fact_that_the_log_refuses_holds_up_no_other_one() -> None:
    log = SlowLog(refuses=frozenset({"key-0"}))
    recorder = recorder_of(log)
    for number in range(3):
        recorder.note(Caller("acme", f"key-{number}", frozenset()), "GET", JOB, "job-1")
    await recorder.flush()
    assert [fact.subject for fact in log.facts] == ["key-1", "key-2"]


async def test_two_who_append_at_a_time_append_each_fact_once() -> None:
    log = SlowLog()
    recorder = recorder_of(log)
    for number in range(4):
        recorder.note(Caller("acme", f"key-{number}", frozenset()), "GET", JOB, "job-1")
    await asyncio.gather(recorder.flush(), recorder.flush())
    assert [fact.subject for fact in log.facts] == [f"key-{number}" for number in range(4)]


async def test_an_erasure_does_not_make_a_fact_of_what_was_read_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "ERASED_S", 0.0)
    log = SlowLog()
    recorder, stopping = recorder_of(log), asyncio.Event()
    running = asyncio.create_task(recorder.run(stopping))
    for erased in range(1, 4):
        recorder.note(READER, "GET", JOB, "job-1")
        recorder.note(READER, "DELETE", JOB, "job-1")
        await wait_until(lambda n=erased: appended(log, n), 5, "the fact of the erasure")
    running.cancel()
    assert log.actions == ["erased"] * 3
    await recorder.flush()
    assert log.actions[3:] == ["read"]


async def appended(log: SlowLog, count: int) -> bool:
    return log.actions.count("erased") == count


async def test_a_change_of_a_key_that_is_no_fact_holds_up_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = keys.KeyNote(1, "key-1", "acme", {"action": "created", "by": "x", "ends_at": "10000-01-01T01:00:00"}, NOW)
    plain = keys.KeyNote(2, "key-2", "acme", {"action": "created", "by": "x"}, NOW)
    notes = [strange, plain]

    async def relay(pool: object, send: Callable[[keys.KeyNote], Awaitable[None]]) -> int:
        await asyncio.gather(*map(send, notes))
        notes.clear()
        return 2

    monkeypatch.setattr(keys, "relay_changes", relay)
    monkeypatch.setattr(key_facts, "PAUSE_S", 0.0)
    log = SlowLog()
    running = asyncio.create_task(KeyFacts(None, log).run(asyncio.Event()))  # type: ignore[arg-type]

    async def is_relayed() -> bool:
        return [fact.subject for fact in log.facts] == ["key-2"] and not notes

    await wait_until(is_relayed, 5, "the other change")
    running.cancel()
