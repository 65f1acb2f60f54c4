"""The app over a log in memory and local blobs, with Postgres away: what it accepts, refuses, and where things go."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.events import BatchCreated, JobCreated
from schemas.topics import JOB_EVENTS
from services.api.log.ends import LogEnds
from tests.support.stacks.memory_api import PARTITIONS, MemoryApi, memory_api

NOOP = {"job_type": "noop", "parameters": {}}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[MemoryApi]:
    async with memory_api(tmp_path) as made:
        yield made


def error(reply: httpx.Response, status: int) -> dict[str, Any]:
    assert reply.status_code == status, reply.text
    assert reply.json()["status"] == "error"
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    return dict(reply.json()["error"])


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/"])
async def test_a_job_is_one_fact_and_its_parameters_are_a_blob(api: MemoryApi, path: str) -> None:
    hook = {"url": "https://example.com/hook", "token": "very-secret", "jobId": "mine"}
    parameters = {"webhook": hook, "priority": 7, "target_id": "t-1", "sleep_s": 0}
    reply = await api.client.post(path, json={"job_type": "noop", "parameters": parameters, "user_id": "u"})
    assert reply.status_code == 200
    assert set(reply.json()) == {"status", "data"}
    data = reply.json()["data"]
    assert set(data["job"]) == {"job_id", "job_type", "status", "created_at", "parameters"}
    assert data["job"]["parameters"] == {**parameters, "webhook": {**hook, "token": "***"}}
    [fact] = await api.facts()
    assert (fact.subject, fact.owner) == (data["job_id"], "local")
    assert isinstance(fact.data, JobCreated)
    assert (fact.data.priority, fact.data.target_id, fact.data.user_id, fact.data.has_webhook) == (7, "t-1", "u", True)
    stored = await api.document(fact.data.parameters)
    assert stored["job_type"] == "noop"
    sealed = stored["parameters"]["webhook"].pop("token")["sealed"]
    assert api.seal.open(sealed) == "very-secret"
    assert "very-secret" not in f"{stored} {fact}"
    record = (await api.log.end_offsets(JOB_EVENTS)).items()
    assert reply.headers["Piperoll-Position"] == next(f"{part}:{end - 1}" for part, end in record if end)


async def test_consecutive_jobs_go_to_different_partitions(api: MemoryApi) -> None:
    for _ in range(2 * PARTITIONS):
        await api.client.post("/api/jobs", json=NOOP)
    assert set((await api.log.end_offsets(JOB_EVENTS)).values()) == {2}


async def test_a_batch_is_one_fact(api: MemoryApi) -> None:
    hook = {"url": "https://example.com/hook", "token": "very-secret"}
    body = {"batch_name": "My Batch", "jobs": [NOOP, NOOP], "webhook": hook}
    reply = await api.client.post("/api/jobs/batch", json=body)
    data = reply.json()["data"]
    assert data["batch"]["status"] == "pending"
    assert data["batch"]["job_count"] == 2
    assert [job["job_id"] for job in data["batch"]["jobs"]] == data["job_ids"]
    [fact] = await api.facts()
    assert isinstance(fact.data, BatchCreated)
    assert fact.data.name is not None
    assert await api.document(fact.data.name) == "My Batch"
    specs = await api.document(fact.data.specs)
    assert all(api.seal.open(spec["parameters"]["webhook"]["token"]["sealed"]) == "very-secret" for spec in specs)
    assert all(spec["has_webhook"] for spec in specs)


async def test_a_refused_batch_appends_nothing(api: MemoryApi) -> None:
    reply = await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, {"job_type": "x", "parameters": {}}]})
    assert error(reply, 400)["details"]["index"] == 1
    assert await api.facts() == []


async def test_a_valid_trace_of_a_request_is_appended(api: MemoryApi) -> None:
    await api.client.post("/api/jobs", json=NOOP, headers={"traceparent": TRACE})
    await api.client.post("/api/jobs", json=NOOP, headers={"traceparent": "nonsense"})
    assert {fact.traceparent for fact in await api.facts()} == {TRACE, None}


async def test_a_repeated_key_is_accepted_unchecked_while_postgres_is_down(api: MemoryApi) -> None:
    headers = {"Idempotency-Key": "once"}
    replies = [await api.client.post("/api/jobs", json=NOOP, headers=headers) for _ in range(2)]
    assert {reply.headers["Piperoll-Idempotency"] for reply in replies} == {"unchecked"}
    assert len({reply.json()["data"]["job_id"] for reply in replies}) == 1
    assert len({fact.id for fact in await api.facts()}) == 1, "a repeat is the same fact"


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_an_empty_or_too_long_key_is_refused(api: MemoryApi, key: str) -> None:
    reply = await api.client.post("/api/jobs", json=NOOP, headers={"Idempotency-Key": key})
    assert error(reply, 400)["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "path",
    [
        "/api/jobs/job-{id}",
        "/api/jobs/batch/batch-{id}",
        "/api/jobs/job-{id}/events",
        "/api/jobs/job-{id}/stream",
        "/api/jobs/job-{id}/download-archive",
        "/api/jobs/",
        "/api/jobs/batches",
    ],
)
async def test_without_postgres_reads_are_unavailable_with_a_time_to_retry(api: MemoryApi, path: str) -> None:
    reply = await api.client.get(path.replace("{id}", "00000000-0000-4000-8000-000000000000"))
    assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"
    assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize("headers", [{"Authorization": ""}, {"Authorization": "Basic good-key"}])
async def test_no_key_is_refused_before_anything_else(api: MemoryApi, headers: dict[str, str]) -> None:
    for reply in (
        await api.client.post("/api/jobs", json=NOOP, headers=headers),
        await api.client.get("/nowhere", headers=headers),
    ):
        assert error(reply, 401)["message"] == "Invalid or missing service token"
    assert await api.facts() == []


async def test_the_other_key_header_is_accepted(api: MemoryApi) -> None:
    headers = {"Authorization": "", "X-Secretary-Api-Key": "good-key"}
    assert (await api.client.post("/api/jobs", json=NOOP, headers=headers)).status_code == 200


async def test_an_unknown_key_is_a_503_while_postgres_is_down(api: MemoryApi) -> None:
    reply = await api.client.post("/api/jobs", json=NOOP, headers={"Authorization": "Bearer other"})
    assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"


async def test_unknown_paths_and_methods_are_errors_in_the_envelope(api: MemoryApi) -> None:
    assert error(await api.client.get("/api/nothing"), 404)["code"] == "NOT_FOUND"
    reply = await api.client.delete("/api/jobs")
    assert error(reply, 405)["code"] == "METHOD_NOT_ALLOWED"
    assert reply.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("name", ["job-1", "job-..", "batch", "job-00000000-0000-4000-8000-00000000000G"])
async def test_a_malformed_id_is_not_found(api: MemoryApi, name: str) -> None:
    assert error(await api.client.get(f"/api/jobs/{name}"), 404)["message"] == "job not found"


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "60.1", "nan", "inf", "1e1", ""])
async def test_a_wait_outside_0_to_60_is_refused(api: MemoryApi, wait: str) -> None:
    path = "/api/jobs/job-00000000-0000-4000-8000-000000000000"
    assert error(await api.client.get(path, params={"wait": wait}), 400)["code"] == "INVALID_PARAMETERS"


async def test_a_body_over_the_limit_is_refused_with_or_without_its_length(api: MemoryApi) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 5_000

    for content in (b" " * 150_000, chunks()):
        assert error(await api.client.post("/api/jobs", content=content), 413)["code"] == "BODY_TOO_LARGE"


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
async def test_another_content_type_is_refused(api: MemoryApi, media_type: str) -> None:
    reply = await api.client.post("/api/jobs", content=json.dumps(NOOP), headers={"Content-Type": media_type})
    assert error(reply, 400)["code"] == "INVALID_REQUEST"


async def test_an_upload_is_stored_for_its_owner_and_can_be_used_by_a_job(api: MemoryApi) -> None:
    reply = await api.client.post("/api/files", files={"file": ("../scans/über.pdf", b"%PDF-1.7 content")})
    data = reply.json()["data"]
    assert data["filename"] == f"upload://{data['file_id']}/über.pdf"
    assert (data["size"], data["media_type"]) == (16, "application/pdf")
    assert await api.blobs.get(f"uploads/local/{data['file_id']}/über.pdf") == b"%PDF-1.7 content"
    body = {"job_type": "pdf", "parameters": {"filename": data["filename"]}}
    assert (await api.client.post("/api/jobs", json=body)).status_code == 200


Files = list[tuple[str, tuple[str, bytes]]]


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ([("file", ("a.pdf", b""))], 400),
        ([("other", ("a.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x")), ("file", ("b.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x")), ("second", ("b.pdf", b"x"))], 400),
        ([("file", ("a.pdf", b"x" * 200_001))], 413),
        ([("file", ("a.pdf", b"x" * 900_000))], 413),
        ([("file", ("a.pdf", b"x" * 200_000))], 200),
    ],
)
async def test_an_upload_is_exactly_one_file_within_the_limit(api: MemoryApi, files: Files, status: int) -> None:
    assert (await api.client.post("/api/files", files=files)).status_code == status


async def test_an_upload_that_is_not_a_form_is_refused(api: MemoryApi) -> None:
    for media_type in ("application/pdf", "multipart/form-data"):
        reply = await api.client.post("/api/files", content=b"x", headers={"Content-Type": media_type})
        assert error(reply, 400)["code"] == "INVALID_REQUEST"


async def test_health_docs_and_metrics_need_no_key(api: MemoryApi) -> None:
    without_key = {"Authorization": ""}
    paths = ("/api/health", "/api/health/", "/api/health/live", "/api/health/ready", "/api/doc", "/metrics")
    for path in paths:
        assert (await api.client.get(path, headers=without_key)).status_code == 200, path
    document = (await api.client.get("/api/swagger.json", headers=without_key)).json()
    assert {"/api/jobs/", "/api/jobs/{job_id}", "/api/jobs/batch", "/api/files"} <= set(document["paths"])


async def test_every_operation_is_documented_with_examples_and_its_errors(api: MemoryApi) -> None:
    document = (await api.client.get("/api/swagger.json")).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            named = f"{method} {path}"
            assert operation["summary"], named
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                assert content["example"], f"{named} {media_type}"
            answers = {int(status): answer for status, answer in operation["responses"].items()}
            assert min(answers) < 300, named
            assert path.startswith("/api/health") or {401, 503} <= answers.keys(), named
            for status, answer in answers.items():
                assert answer["description"], f"{named} {status}"
                for media_type, content in answer.get("content", {}).items():
                    assert "example" in content or content["schema"].get("format") == "binary", f"{named} {media_type}"
                    if status >= 400:
                        assert set(content["example"]["error"]) == {"code", "message", "details"}, named


async def test_the_documentation_page_loads_nothing_from_other_hosts(api: MemoryApi) -> None:
    page = (await api.client.get("/api/doc", headers={"Authorization": ""})).text
    assert "/api/swagger.json" in page
    assert re.findall(r"https?://", page) == []


async def test_the_end_of_the_log_includes_every_earlier_append(api: MemoryApi) -> None:
    ends = LogEnds(api.log, 1.0)

    async def append_and_look() -> None:
        reply = await api.client.post("/api/jobs", json=NOOP)
        partition, offset = map(int, reply.headers["Piperoll-Position"].split(":"))
        assert (await ends.now())[partition] > offset

    await asyncio.gather(*(append_and_look() for _ in range(20)))


async def test_an_internal_error_has_an_envelope_and_no_traceback(
    api: MemoryApi, tmp_path: Path, make_unreadable: Callable[[Path], None]
) -> None:
    make_unreadable(tmp_path / "blobs")
    reply = await api.client.post("/api/jobs", json=NOOP)
    assert error(reply, 503)["code"] == "STORAGE_ERROR"
    assert "Traceback" not in reply.text
    assert await api.facts() == []


@pytest.fixture
def make_unreadable() -> Callable[[Path], None]:
    """Puts a file where the blob store's folder was, which stops even root."""

    def replace(folder: Path) -> None:
        folder.rename(folder.with_suffix(".away"))
        folder.write_bytes(b"")

    return replace


@pytest.mark.parametrize(
    ("job_type", "parameters"),
    [
        ("extraction", {"document_id": "doc-1"}),
        ("transcription", {"document_id": "doc-1"}),
        ("generation", {"document_id": "doc-1", "prompt": "Sum it up."}),
        ("embedding", {"folder_id": "folder-1"}),
        ("sync", {"folder_id": "folder-1", "source": "file://{root}"}),
        ("import", {"folder_id": "folder-1", "items": [{"url": "https://example.com/a.pdf"}]}),
    ],
)
async def test_a_job_that_names_documents_is_refused_while_they_cannot_be_looked_up(
    api: MemoryApi, tmp_path: Path, job_type: str, parameters: dict[str, Any]
) -> None:
    if "source" in parameters:
        parameters = {**parameters, "source": parameters["source"].format(root=tmp_path)}
    job = {"job_type": job_type, "parameters": parameters}
    for path, body in (("/api/jobs", job), ("/api/jobs/batch", {"jobs": [NOOP, job]})):
        reply = await api.client.post(path, json=body)
        assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"
        assert "Retry-After" in reply.headers
    assert await api.facts() == []


async def test_the_same_job_types_without_documents_need_kafka_and_blobs_only(api: MemoryApi) -> None:
    for job_type, parameters in (
        ("extraction", {"url": "https://example.com/a.pdf"}),
        ("generation", {"text": "A text.", "prompt": "Sum it up."}),
        ("import", {"items": [{"url": "https://example.com/a.pdf"}]}),
    ):
        reply = await api.client.post("/api/jobs", json={"job_type": job_type, "parameters": parameters})
        assert reply.status_code == 200, reply.text


async def test_without_postgres_a_list_under_v1_is_a_503_and_not_counted(api: MemoryApi) -> None:
    for _ in range(3):
        reply = await api.client.get("/v1/jobs")
        assert (reply.status_code, reply.json()["success"]) == (503, False)
        assert reply.json()["error"]["code"] == "READ_MODEL_UNAVAILABLE"
        assert "RateLimit-Limit" not in reply.headers
