"""Plays a script of the client without a network, in virtual time."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from piperoll.client.policy import RetryPolicy
from piperoll.client.wire import ApiReply, ApiRequest, Emit, GetPolicy, Now, Open, Pause, Read, Send, TransportFault

RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
Outcome = ApiReply | TransportFault | bytes


@dataclass
class Played:
    """What a script did: its requests, its pauses, what it emitted, and its value."""

    requests: list[ApiRequest] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    emitted: list[Any] = field(default_factory=list)
    value: Any = None


def reply(status: int, body: object = None, **headers: str) -> ApiReply:
    """An answer with JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiReply(status, named, RECEIVED_AT, json.dumps(body).encode())


def data(value: object, status: int = 200) -> ApiReply:
    """A success in its envelope."""
    return reply(status, {"status": "success", "data": value})


def error(status: int, code: str, message: str = "no", details: object = None, **headers: str) -> ApiReply:
    """An error in its envelope."""
    body = {"status": "error", "error": {"code": code, "message": message, "details": details or {}}}
    return reply(status, body, **headers)


def play(script: Any, outcomes: Iterable[Outcome], policy: RetryPolicy | None = None) -> Played:
    """Run a script; each Send, Open and Read takes the next outcome. Its errors are raised with `played` as a note."""
    played, waiting, time = Played(), iter(outcomes), 0.0
    rules = policy or RetryPolicy(draw=lambda: 1.0)
    result: Any = None
    try:
        while True:
            effect = script.send(result)
            result = None
            match effect:
                case Send(request) | Open(request):
                    played.requests.append(request)
                    result = next(waiting)
                case Read():
                    result = next(waiting)
                case Pause(seconds):
                    played.pauses.append(seconds)
                    time += seconds
                case Now():
                    result = time
                case GetPolicy():
                    result = rules
                case Emit(value):
                    played.emitted.append(value)
    except StopIteration as stop:
        played.value = stop.value
    assert next(waiting, None) is None, "the script asked less than expected"
    return played
