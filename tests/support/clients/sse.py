"""Server-sent events, parsed as the HTML standard defines."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class StreamEvent:
    """One server-sent event."""

    name: str
    data: Any
    id: str | None


async def events(reply: httpx.Response) -> AsyncIterator[StreamEvent]:
    """Parse the events of a stream."""
    fields: dict[str, str] = {}
    async for line in reply.aiter_lines():
        if not line:
            if "data" in fields:
                yield StreamEvent(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
