"""The limits of the OpenAPI document are the limits of the server."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.job_types.pdf import PdfParameters
from services.api.http.shapes import not_null
from tests.support.openapi import FILE, IDS, example, operations
from tests.support.stacks.memory_api import MemoryApi

WRAPPING = ("/api/pdf/", "/api/transformer/")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
HOOK = {"callback_url": "https://example.com/hook"}
BESIDE: dict[str, dict[str, Any]] = {
    "callback_token": HOOK,
    "jobId": HOOK,
    "url": {"text": None},
    "key": {"nonce": None},
    "overlap": {"max_tokens": 8192},
    "job_id": {"text": None},
    "container_selector": {"url": "https://example.com/a", "text": None},
}
"""By the name of a field: what must, or (None) must not, be given with it."""


ITEMS: dict[str, Any] = {"jobs": {"job_type": "noop", "parameters": {}}, "filesIds": IDS["document_id"]}
UNTRIED = {"filename", "job_type"}
"""Fields whose allowed values need other fields than those of the examples."""


@dataclass(frozen=True)
class Limit:
    """A value at a limit that the document names, or just beyond it, for one field of one request."""

    method: str
    path: str
    place: str
    name: str
    value: Any
    allowed: bool

    def __str__(self) -> str:
        value = f"{len(self.value)} long" if isinstance(self.value, str | list) else self.value
        return f"{self.method} {self.path} {self.place} {self.name} {value}"


def values(schema: dict[str, Any], name: str) -> Iterator[tuple[Any, bool]]:
    """Values at the limits of a schema and just beyond them, and whether they are allowed."""
    step = 0.000_001 if schema.get("type") == "number" else 1
    if "minimum" in schema:
        yield from ((schema["minimum"], True), (schema["minimum"] - step, False))
    if "maximum" in schema:
        yield from ((schema["maximum"], True), (schema["maximum"] + step, False))
    if "enum" in schema:
        yield from ((value, True) for value in schema["enum"])
        yield "no such value", False
    for length, allowed in lengths(schema, "minLength", "maxLength"):
        address = name.endswith("url") or name == "origin"
        text = f"https://e.com{'/' * (length - 13)}" if address and length > 13 else "a" * length
        if not allowed or (matches(schema, text) and (not address or length > 13)):
            yield text, allowed
    if "\\x00" in schema.get("pattern", ""):
        yield "a\x00", False
    if schema.get("type") == "array":
        item = schema["items"].get("enum", [ITEMS.get(name)])[0]
        yield from (([item] * length, allowed) for length, allowed in lengths(schema, "minItems", "maxItems"))
        if "enum" in schema["items"]:
            yield ["no such value"], False


def lengths(schema: dict[str, Any], least: str, most: str) -> Iterator[tuple[int, bool]]:
    if schema.get(least):
        yield from ((schema[least], True), (schema[least] - 1, False))
    if most in schema:
        yield from ((schema[most], True), (schema[most] + 1, False))


def matches(schema: dict[str, Any], text: str) -> bool:
    return re.search(schema.get("pattern", ""), text) is not None


def limits() -> Iterator[Limit]:
    """All limits except those that a test cannot reach."""
    for limit in every_limit():
        form = limit.place in FORMS or (limit.path.startswith(WRAPPING) and limit.place == "application/json")
        left_out = form and limit.value == ""  # what is empty there was not given
        late = limit.path.endswith("/restart")  # the job is looked up first, which takes Postgres
        if not left_out and not late and not (limit.allowed and limit.name in UNTRIED):
            yield limit


def every_limit() -> Iterator[Limit]:
    for (method, path), operation in operations().items():
        for parameter in operation.get("parameters", ()):
            place, name = parameter["in"], parameter["name"]
            for value, allowed in values(parameter["schema"], name):
                yield Limit(method, path, place, name, value, allowed)
        for place, content in operation.get("requestBody", {}).get("content", {}).items():
            for name, schema in content["schema"]["properties"].items():
                for value, allowed in values(not_null(schema), name):
                    yield Limit(method, path, place, name, value, allowed)
            if content["schema"].get("additionalProperties") is False:
                yield Limit(method, path, place, "no_such_field", "x", False)
    for name, schema in PdfParameters.model_json_schema()["properties"].items():
        for value, allowed in values(not_null(schema), name):
            yield Limit("POST", "/api/jobs/", "parameters", name, value, allowed)


async def send(api: MemoryApi, limit: Limit) -> httpx.Response:
    """The documented request with this one value in it."""
    operation, place, value = operations()[limit.method, limit.path], limit.place, limit.value
    given: dict[str, Any] = {limit.name: plain(value) if isinstance(value, float) else value}
    contents = operation.get("requestBody", {}).get("content", {})
    request: dict[str, Any] = {"params": {}, "headers": {}}
    if any(one["name"] == "q" for one in operation.get("parameters", ())):
        request["params"] = {"q": "heat"}
    if "application/json" in contents:
        request["json"] = example(operation, "application/json")
    elif "multipart/form-data" in contents:
        request["files"] = FILE
    match place:
        case "query":
            request["params"] |= given
        case "header":
            request["headers"] = {limit.name: value.encode()}
        case "parameters":
            request["json"]["parameters"] |= {limit.name: value}
        case "application/json":
            request["json"] = beside(limit.name, request["json"]) | {limit.name: value}
        case _:
            request.pop("json", None)
            texts = beside(limit.name, example(operation, place)) | given
            if place == "multipart/form-data":
                parts = {name: (None, str(text)) for name, text in texts.items()}
                has_file = "file" in contents[place]["schema"]["properties"] and limit.name != "url"
                request["files"] = {**parts, **(FILE if has_file else {})}
            else:
                request["data"] = texts
    return await api.client.request(limit.method, limit.path, **request)


def beside(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """A body with what must be given with a field, and without what must not."""
    given = body | BESIDE.get(name, {})
    return {key: value for key, value in given.items() if value is not None}


def plain(number: float) -> str:
    return f"{number:.6f}"


LIMITS = list(limits())


def test_there_are_limits_of_every_kind() -> None:
    assert {"query", "header", "parameters", "application/json", *FORMS} == {limit.place for limit in LIMITS}
    assert len(LIMITS) > 300


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=len(LIMITS))
@given(st.sampled_from(LIMITS))
async def test_documented_limits_are_the_limits_of_the_server(api: MemoryApi, limit: Limit) -> None:
    reply = await send(api, limit)
    assert (reply.status_code != 400) is limit.allowed, f"{limit}: {reply.text[:300]}"
