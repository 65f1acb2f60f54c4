"""The app over a log in memory and local blobs, without Postgres: which requests are refused, and how."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from services.api.log.ends import LogEnds
from tests.support.stacks.memory_api import NOOP, MemoryApi, error


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


async def test_unknown_paths_and_methods_are_errors_in_the_envelope(api: MemoryApi) -> None:
    assert error(await api.client.get("/api/nothing"), 404)["code"] == "NOT_FOUND"
    reply = await api.client.delete("/api/jobs")
    assert error(reply, 405)["code"] == "METHOD_NOT_ALLOWED"
    assert reply.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("name", ["job-1", "job-..", "batch", "job-00000000-0000-4000-8000-00000000000G"])
async def test_a_malformed_id_is_not_found(api: MemoryApi, name: str) -> None:
    assert error(await api.client.get(f"/api/jobs/{name}"), 404)["message"] == "job not found"


@pytest.mark.parametrize(
    "method_path", ["DELETE /v1/webhooks/%00", "POST /v1/webhooks/x/test", "DELETE /v1/webhooks/ü"]
)
async def test_a_text_that_is_no_id_of_an_endpoint_is_not_found(api: MemoryApi, method_path: str) -> None:
    reply = await api.client.request(*method_path.split())
    assert (reply.status_code, reply.json()["error"]["message"]) == (404, "webhook not found")


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


async def test_the_end_of_the_log_includes_every_earlier_append(api: MemoryApi) -> None:
    ends = LogEnds(api.log, 1.0)

    async def append_and_look() -> None:
        reply = await api.client.post("/api/jobs", json=NOOP)
        partition, offset = map(int, reply.headers["Piperoll-Position"].split(":"))
        assert (await ends.now())[partition] > offset

    await asyncio.gather(*(append_and_look() for _ in range(20)))


async def test_without_postgres_a_list_under_v1_is_a_503_and_not_counted(api: MemoryApi) -> None:
    for _ in range(3):
        reply = await api.client.get("/v1/jobs")
        assert (reply.status_code, reply.json()["success"]) == (503, False)
        assert reply.json()["error"]["code"] == "READ_MODEL_UNAVAILABLE"
        assert "RateLimit-Limit" not in reply.headers
