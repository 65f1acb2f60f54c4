"""Server-sent events as the HTML standard has them read."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """One event."""

    name: str
    data: Any
    id: str | None


async def events(reply: httpx.Response) -> AsyncIterator[Told]:
    """The events of a stream, read as the HTML standard has it."""
    fields: dict[str, str] = {}
    async for line in reply.aiter_lines():
        if not line:
            if "data" in fields:
                yield Told(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
