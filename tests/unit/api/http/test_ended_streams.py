"""A stream of a key that ended sends no further event, however the end became known."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from piperoll.settings import Settings
from services.api.http import access
from services.api.http.access import Access
from services.api.http.admission import Traffic, TrafficLimits
from services.api.http.gate import RequestGate

KEY = f"pr_0123456789ab.{'x' * 43}"
TURNS = 50  # of the loop, in which a stream sends what it may send


class Keys:
    """Postgres with one key."""

    def __init__(self, expires_at: datetime | None = None) -> None:
        self.row: dict[str, Any] | None = {
            "key_id": "0123456789ab",
            "owner": "acme",
            "scopes": ["read"],
            "created_at": datetime.now(UTC),
            "expires_at": expires_at,
            "revoked_at": None,
        }
        self.queries = 0

    async def fetchrow(self, query: str, digest: str) -> dict[str, Any] | None:
        self.queries += 1
        return self.row


class Stream:
    """A stream of events behind the gate, whose client receives into `sent`."""

    def __init__(self, access: Access) -> None:
        traffic = Traffic(TrafficLimits.of(Settings()))
        self._gate = RequestGate(self._app, access, None, traffic, lambda *_: None)  # type: ignore[arg-type]
        self._event = asyncio.Event()
        self.sent: list[bytes] = []
        headers = [(b"authorization", f"Bearer {KEY}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/stream", "headers": headers}
        self.task = asyncio.create_task(self._gate(scope, self._receive, self._send))

    async def next(self) -> None:
        """Let the stream send one event, if it may."""
        self._event.set()
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while True:
            await self._event.wait()
            self._event.clear()
            await send({"type": "http.response.body", "body": b"event", "more_body": True})

    async def _receive(self) -> Any:
        await asyncio.Event().wait()

    async def _send(self, message: Any) -> None:
        if message.get("body"):
            self.sent.append(message["body"])


def access_to(keys: Keys) -> Access:
    made = Access(keys, "pepper", [], cache_s=900, deadline_s=5)  # type: ignore[arg-type]
    made.hears(True)
    return made


async def test_a_stream_ends_after_an_end_without_a_notification() -> None:
    keys = Keys()
    known = access_to(keys)
    stream = Stream(known)
    await stream.next()
    known.hears(False)
    keys.row = None
    known.hears(True)
    await stream.next()
    assert stream.sent == [b"event"]
    assert stream.task.done()


async def test_a_stream_ends_when_its_key_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(expires_at=datetime.now(UTC) + timedelta(seconds=30))
    stream = Stream(access_to(keys))
    await stream.next()
    keys.row = None
    later = time.monotonic() + 31
    monkeypatch.setattr(access, "time", SimpleNamespace(monotonic=lambda: later, time=time.time))
    await stream.next()
    assert stream.sent == [b"event"]
    assert stream.task.done()


async def test_a_stream_of_a_key_that_is_still_valid_goes_on_and_costs_no_query_for_an_event() -> None:
    keys = Keys()
    known = access_to(keys)
    stream = Stream(known)
    for _ in range(3):
        await stream.next()
    assert keys.queries == 1
    known.forget("0123456789ab")  # it was rotated, and is valid for a while
    await stream.next()
    assert stream.sent == [b"event"] * 4
    stream.task.cancel()
