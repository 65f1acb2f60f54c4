"""Every field of every request takes any value without an error of the server, and what it accepts can be read."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from piperoll.job_types import job_types
from piperoll.log.parking import decode
from piperoll.log.usable import claims_of
from piperoll.store.paths import refusal_of
from piperoll.store.uploads import uses_by
from piperoll.webhooks.origins import origin_of
from schemas.fields import MAX_HOOK_URL_BYTES, MAX_HOST_BYTES
from schemas.topics import DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_EVENTS
from services.api.read_model.catching_up import CatchingUp
from services.notifier.hooks.webhook import parse_webhook
from tests.support.hostile.fields import UUID, Field, fields_of
from tests.support.hostile.sending import Shot, send
from tests.support.hostile.values import CHARSETS, values
from tests.support.stacks.memory_api import MemoryApi, memory_api

TOPICS = (JOB_EVENTS, DOCUMENT_EVENTS, ENDPOINT_EVENTS)
EXAMPLES = 1000
WITHOUT_POSTGRES = "READ_MODEL_UNAVAILABLE"


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MemoryApi]:
    async def at_once(self: CatchingUp) -> bool:
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CatchingUp, "briefly", at_once)  # lists would wait for a projector that is not there
        waits = {"read_deadline_s": 0.05, "document_wait_s": 0.05, "sync_stores": "s3://scans"}
        async with memory_api(tmp_path_factory.mktemp("hostile"), **waits) as made:
            yield made


@pytest.fixture(scope="module")
async def fields(api: MemoryApi) -> list[Field]:
    document = (await api.client.get("/api/swagger.json")).json()
    return list(fields_of(document))


def test_the_fields_are_those_of_the_document(fields: list[Field]) -> None:
    places = {field.place for field in fields} | {field.media_type for field in fields}
    forms = {"application/x-www-form-urlencoded", "multipart/form-data"}
    assert {"path", "query", "header", "body", "application/json", *forms} <= places
    names = {(field.path, *field.trail) for field in fields}
    assert ("/api/jobs/batch", "jobs", 1, "parameters", "webhook", "url") in names
    assert ("/api/jobs/batch", "webhook", "token") in names
    assert ("/api/jobs/", "parameters", "items", 0, "filename") in names
    assert len(fields) > 300


@settings(suppress_health_check=list(HealthCheck), max_examples=EXAMPLES)
@given(number=st.integers(0, 10_000), value=values, charset=st.sampled_from(CHARSETS))
async def test_no_value_of_any_field_is_an_error_of_the_server(
    api: MemoryApi, fields: list[Field], number: int, value: Any, charset: str
) -> None:
    await _survive(api, Shot(fields[number % len(fields)], value, charset))


async def _survive(api: MemoryApi, shot: Shot) -> None:
    before = {topic: await api.log.end_offsets(topic) for topic in TOPICS}
    reply = await send(api.client, shot)
    if reply is not None and reply.status_code >= 500:
        assert reply.json()["error"]["code"] == WITHOUT_POSTGRES, f"{shot}: {reply.text[:300]}"
    for topic, begin in before.items():
        for record in await api.log.read_range(topic, begin, await api.log.end_offsets(topic)):
            assert decode(record).why == "", str(shot)
            for _, claim in claims_of(record.fact().data):
                if claim.media_type == "application/json":
                    _check_content(await api.blobs.get(claim.uri), str(shot))


def _check_content(content: bytes, shot: str) -> None:
    """What the worker, the projector and the notifier do with the content of a claim."""
    value = from_json(content)
    assert "\x00" not in str(value), shot
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, dict):
            continue
        if "url" in one:
            _check_address(one["url"])
        if "parameters" in one:
            given: dict[str, Any] = one["parameters"]
            assert not any(map(refusal_of, uses_by("local", f"job-{UUID}", given))), shot
            hook = parse_webhook(to_json({"parameters": given}), f"job-{UUID}")
            assert hook is None or len(hook.url) <= MAX_HOOK_URL_BYTES
            if hook is not None:
                _check_address(hook.url)
            if given.get("webhook"):
                given = {**given, "webhook": {**given["webhook"], "token": None}}  # it is sealed
            job_types().of(one["job_type"]).parameters.model_validate(given)


def _check_address(url: str) -> None:
    origin = origin_of(url)
    assert origin.isascii()
    assert len(origin) <= MAX_HOST_BYTES + len("http://.:65535")


ANY_NAME = ("/api/keys/", "/reextract", "/reindex")
"""Paths whose ids may be any label, so that Postgres is asked."""


@pytest.mark.parametrize("text", ["%00", "a%0Ab", "..%2F..", "%ED%A0%80", "x" * 300])
async def test_a_text_that_cannot_be_an_id_is_not_found_without_a_query(api: MemoryApi, text: str) -> None:
    """Postgres, which would refuse some of them, does not run here."""
    document = (await api.client.get("/api/swagger.json")).json()
    for path, operations in document["paths"].items():
        if "{" not in path or any(part in path for part in ANY_NAME):
            continue
        for method in operations:
            body = {} if method in ("get", "delete") else {"json": {}}
            reply = await api.client.request(method.upper(), re.sub(r"{\w+}", text, path), **body)
            assert reply.status_code in (400, 404), f"{method} {path}: {reply.text[:200]}"
