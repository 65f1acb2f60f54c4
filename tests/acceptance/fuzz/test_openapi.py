"""Requests that the OpenAPI document allows, and ones that it does not, get answers that it describes.

They are drawn by schemathesis from the document, the same ones in each run, with ids of things that exist in some.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.case import Case
from schemathesis.generation.modes import GenerationMode

from piperoll.embedded.stack import SERVICES, Stack, StackOptions
from tests.support.waiting import PATIENCE_S

EXAMPLES = max(5, settings.default.max_examples // 12)
"""Requests of each operation and kind."""
load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
ENDLESS = "text/event-stream"
SHORTENED = ("wait", "timeout")
"""Query parameters that make an answer wait."""
ANSWER_S = 30.0


@dataclass
class Trial:
    """A running stack, its document, and ids of things that exist."""

    stack: Stack
    document: dict[str, Any]
    ids: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def trial(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    options = StackOptions(
        extra_env={
            "PIPEROLL_ENABLE_NOOP": "true",
            "PIPEROLL_SLOTS": "1",
            "PIPEROLL_RATE_LIMIT": "100000",
            "PIPEROLL_DOCUMENT_WAIT_S": "0.2",
            "PIPEROLL_READ_DEADLINE_S": str(ANSWER_S / 2),
            "PIPEROLL_APPEND_DEADLINE_S": str(ANSWER_S / 2),
        }
    )
    async with Stack(tmp_path_factory.mktemp("fuzz"), options) as stack:
        await stack.wait_ready(PATIENCE_S)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=ANSWER_S) as client:
            made = Trial(stack, (await client.get("/api/swagger.json")).json())
            await fill(client, made.ids)
        yield made


async def fill(client: httpx.AsyncClient, ids: dict[str, list[str]]) -> None:
    """Create one of each thing that a path may name."""
    noop = {"job_type": "noop", "parameters": {}}
    for _ in range(3):
        ids.setdefault("job_id", []).append((await client.post("/api/jobs/", json=noop)).json()["data"]["job_id"])
    batch = (await client.post("/api/jobs/batch", json={"batch_name": "b", "jobs": [noop]})).json()["data"]
    ids["batch_id"] = [batch["batch"]["batch_id"]]
    folder = (await client.post("/v1/folders", json={"name": "F"})).json()["data"]
    ids["folder_id"] = [folder["id"]]
    sent = await client.post("/v1/documents", files={"file": ("a.txt", b"A text.")}, params={"wait": "20"})
    ids["document_id"] = ids["file_id"] = [sent.json()["data"].get("documentId") or sent.json()["data"]["id"]]


def operations(document: dict[str, Any]) -> Iterator[Any]:
    """The operations whose answers end."""
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()
        answers = document["paths"][operation.path][operation.method]["responses"]
        if not any(ENDLESS in answer.get("content", {}) for answer in answers.values()):
            yield operation


def try_one(trial: Trial, operation: Any, mode: GenerationMode) -> None:
    """Send EXAMPLES requests of an operation; judge the answers."""

    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def send(case: Case, data: st.DataObject) -> None:
        for name in list(case.path_parameters or {}):
            if name in trial.ids and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(trial.ids[name]))
        for name in SHORTENED:
            if case.query and name in case.query:
                case.query[name] = "0.1"
        headers = {"Authorization": f"Bearer {trial.stack.api_key}"}
        response = case.call(base_url=trial.stack.api_url, headers=headers, timeout=ANSWER_S)
        case.validate_response(response, checks=CHECKED)
        judge_download(response)

    send()


def judge_download(response: Any) -> None:
    """What was made from foreign content is never shown as a page of the API."""
    (kind,) = response.headers.get("content-type", [""])
    if response.status_code < 300 and kind and not kind.startswith("application/json"):
        if response.request.path_url.startswith(("/metrics", "/api/doc")):
            return
        (policy,) = response.headers["content-security-policy"]
        assert policy.startswith("sandbox")
        assert response.headers["x-content-type-options"] == ["nosniff"]
        assert response.headers["content-disposition"][0].startswith("attachment")


async def failures_of(trial: Trial, mode: GenerationMode, document: dict[str, Any]) -> tuple[int, list[str]]:
    """Try all operations of a document; return how many had requests of this kind, and what was wrong."""
    failures, tried = [], 0
    for operation in operations(document):
        try:
            await asyncio.to_thread(try_one, trial, operation, mode)
        except Unsatisfiable:
            continue  # an operation without parameters allows every request
        except BaseExceptionGroup as group:
            failures += [f"{operation.label}: {one}" for one in group.exceptions]
        except Exception as error:  # noqa: BLE001 - all operations are tried
            failures.append(f"{operation.label}: {error!r}")
        tried += 1
    return tried, failures


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
async def test_every_answer_is_one_that_the_document_describes(trial: Trial, mode: GenerationMode) -> None:
    before = {name: trial.stack.pid(name) for name in SERVICES}
    tried, failures = await failures_of(trial, mode, trial.document)
    assert tried > 40
    assert failures == []
    assert {name: trial.stack.pid(name) for name in SERVICES} == before, "a service ended"


async def test_an_answer_that_the_document_lacks_is_found(trial: Trial) -> None:
    path, status = "/api/jobs/{job_id}", "404"
    changed = deepcopy({**trial.document, "paths": {path: {"get": trial.document["paths"][path]["get"]}}})
    del changed["paths"][path]["get"]["responses"][status]
    tried, failures = await failures_of(trial, GenerationMode.POSITIVE, changed)
    assert tried == 1
    assert any("Undocumented status code" in failure and status in failure for failure in failures), failures


async def test_an_answer_of_another_shape_is_found(trial: Trial) -> None:
    path = "/v1/folders"
    changed = deepcopy({**trial.document, "paths": {path: {"get": trial.document["paths"][path]["get"]}}})
    content = changed["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    content["schema"] = {"type": "object", "required": ["missing"], "properties": {"missing": {"type": "string"}}}
    _, failures = await failures_of(trial, GenerationMode.POSITIVE, changed)
    assert any("missing" in failure for failure in failures), failures
