"""One request and its answer: repeats, errors and envelopes. Every script of the client goes through here."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from piperoll.client.errors import FIRST_ERROR, UnexpectedAnswerError, UnreachableError, error_of
from piperoll.client.policy import PASSING, REFUSED_BEFORE
from piperoll.client.retry_after import retry_after_s
from piperoll.client.wire import ApiReply, ApiRequest, Open, Pause, Script, Send, TransportFault, now, policy

M = TypeVar("M", bound=BaseModel)
Outcome = ApiReply | TransportFault


def asked(request: ApiRequest, *, stream: bool = False) -> Script[ApiReply]:
    """Send a request until its answer is final. Raises UnreachableError and RefusedError.

    With `stream` the content of a successful answer is left to Read.
    """
    rules = yield from policy()
    deadline = (yield from now()) + rules.retry_for_s
    attempt = 0
    while True:
        outcome: Outcome = yield (Open(request) if stream else Send(request))
        attempt += 1
        if not is_repeated(request, outcome):
            return final(request, outcome)
        pause = rules.pause(attempt, _retry_after(outcome))
        if (yield from now()) + pause > deadline:
            return final(request, outcome)
        yield Pause(pause)


def is_repeated(request: ApiRequest, outcome: Outcome) -> bool:
    """Whether to send the request again is safe and may help."""
    if request.file is not None and not request.file.again:
        return False
    if isinstance(outcome, TransportFault):
        return request.repeatable or not outcome.sent
    return outcome.status in (PASSING if request.repeatable else REFUSED_BEFORE)


def final(request: ApiRequest, outcome: Outcome) -> ApiReply:
    """Return the answer of a success. Raises the error of any other outcome."""
    if isinstance(outcome, TransportFault):
        raise UnreachableError(outcome.reason)
    if outcome.status >= FIRST_ERROR:
        raise error_of(outcome, f"{request.method} {request.path}")
    return outcome


def _retry_after(outcome: Outcome) -> float | None:
    if isinstance(outcome, TransportFault):
        return None
    return retry_after_s(outcome.headers.get("retry-after"), outcome.received_at)


def answered(request: ApiRequest) -> Script[Any]:
    """Return the `data` of the answer. Raises as `asked` does, and UnexpectedAnswerError."""
    reply = yield from asked(request)
    try:
        return json.loads(reply.content)["data"]
    except (ValueError, KeyError, TypeError):
        raise UnexpectedAnswerError(
            f"{request.method} {request.path} was answered without Piperoll's envelope: is it the address of a "
            "Piperoll API?"
        ) from None


def viewed(kind: type[M], data: Any) -> M:
    """Return data of an answer as a model. Raises UnexpectedAnswerError."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise UnexpectedAnswerError(f"an answer is not a {kind.__name__}: {error}") from error


def create(path: str, body: Any = None, *, key: str | None = None, user_id: str | None = None) -> ApiRequest:
    """Return a POST that creates something once, however often it is sent: it has an Idempotency-Key."""
    headers = {"Idempotency-Key": key or str(uuid4())} | ({"X-User-ID": user_id} if user_id else {})
    return ApiRequest("POST", path, body=body, headers=headers)


def read(path: str, **query: object) -> ApiRequest:
    """Return a GET; a query value of None is left out."""
    return ApiRequest("GET", path, query=query_of(query))


def delete(path: str) -> ApiRequest:
    """Return a DELETE."""
    return ApiRequest("DELETE", path)


def query_of(values: Mapping[str, object]) -> dict[str, str]:
    """Return the values as a query string takes them; None is left out."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"  # the API takes no exponents
    return str(value).lower() if isinstance(value, bool) else str(value)


def given(**values: object) -> dict[str, object]:
    """Return the values that are not None, for a body."""
    return {name: value for name, value in values.items() if value is not None}


def part(text: str) -> str:
    """Return a text as one part of a path: an id never leads to another route. Raises ValueError."""
    if not text or text in (".", "..") or "/" in text or not text.isprintable():
        raise ValueError(f"{text!r} is not an id")
    return quote(text, safe="")
