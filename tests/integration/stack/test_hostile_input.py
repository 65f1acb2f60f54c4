"""Hostile values in every field of every request to a whole system: no service ends, and no record is parked."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.log.kafka import KafkaOffsets
from piperoll.settings import Settings
from schemas.topics import DEAD_LETTERS
from services.api.endpoints.commands import MAX_ENDPOINTS
from tests.support.hostile.fields import Field, fields_of
from tests.support.hostile.sending import Shot, send
from tests.support.hostile.values import DEEP, NUMBERS, OBJECTS, TEXTS
from tests.support.waiting import PATIENCE_S, wait_until

SEED = 7
SHOTS = 800
VALUES = (*TEXTS, *TEXTS, *NUMBERS, *DEEP, *OBJECTS, None, True)
LEFT_OUT = {"/api/webhooks/test", "/api/transformer/template"}
"""What calls the address in its body, and what waits minutes for a result."""
SERVICES = ("api", "worker", "projector", "notifier")
WITHOUT_NETWORK = {"PIPEROLL_RETRY_BASE_S": "60", "PIPEROLL_SYNC_STORES": "s3://scans", "PIPEROLL_RATE_LIMIT": "100000"}
OPTIONS = StackOptions(extra_env={"PIPEROLL_ENABLE_NOOP": "true", "PIPEROLL_DOCUMENT_WAIT_S": "0", **WITHOUT_NETWORK})
Client = httpx.AsyncClient


@pytest.fixture(scope="module")
async def hostile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack(tmp_path_factory.mktemp("hostile"), OPTIONS) as running:
        await running.wait_ready(PATIENCE_S)
        yield running


@pytest.fixture(scope="module")
async def client(hostile: Stack) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {hostile.api_key}"}
    async with Client(base_url=hostile.api_url, headers=headers, timeout=70) as made:
        yield made


def shots(fields: list[Field]) -> list[Shot]:
    chosen = random.Random(SEED)
    sent = [field for field in fields if field.path not in LEFT_OUT and not field.name.startswith("wait")]
    return [Shot(chosen.choice(sent), chosen.choice(VALUES)) for _ in range(SHOTS)]


async def fire(client: Client) -> set[str]:
    """Send all of them; return the paths of the jobs and batches that were created."""
    created = set()
    for shot in shots(list(fields_of((await client.get("/api/swagger.json")).json()))):
        try:
            reply = await send(client, shot)
        except (httpx.LocalProtocolError, httpx.InvalidURL):
            continue  # the client refuses to send it
        assert reply is None or reply.status_code < 500, f"{shot}: {reply.text[:300]}"
        if reply is not None and reply.status_code in (200, 202) and shot.field.method == "POST":
            created.update(made(reply.json()))
    return created


def made(answer: dict[str, Any]) -> list[str]:
    data = answer.get("data") or {}
    if "batch_id" in data:
        return [f"/api/jobs/batch/{data['batch_id']}"]
    job_id = data.get("job_id") or (answer.get("process") or {}).get("id")
    return [f"/api/jobs/{job_id}"] if job_id else []


async def letters(settings: Settings) -> int:
    offsets = KafkaOffsets(settings)
    await offsets.start()
    try:
        return sum((await offsets.end_offsets(DEAD_LETTERS)).values())
    finally:
        await offsets.stop()


async def complete_one(client: Client) -> None:
    body = {"job_type": "noop", "parameters": {"priority": 9}}
    job_id = (await client.post("/api/jobs/", json=body)).json()["data"]["job_id"]

    async def completed() -> bool:
        return bool((await client.get(f"/api/jobs/{job_id}")).json()["data"]["status"] == "completed")

    await wait_until(completed, PATIENCE_S, "a job to complete", not_yet=(httpx.TransportError,))


async def test_no_request_stops_a_service_also_after_erasures_and_restarts(hostile: Stack, client: Client) -> None:
    pids = [hostile.pid(name) for name in SERVICES]
    created = await fire(client)
    assert len(created) > SHOTS / 20
    await complete_one(client)
    for path in created:
        reply = await client.delete(path)
        assert reply.status_code in (200, 202), reply.text
    await complete_one(client)
    assert [hostile.pid(name) for name in SERVICES] == pids, "a service ended"
    for name in ("worker", "notifier"):
        await hostile.stop_service(name)
        await hostile.start_service(name)
    pids = [hostile.pid(name) for name in SERVICES]
    await complete_one(client)
    assert [hostile.pid(name) for name in SERVICES] == pids, "a service ended after its restart"
    assert await letters(Settings.from_environment(hostile.environment)) == 0


async def test_parallel_registrations_of_endpoints_stay_within_the_limit(client: Client) -> None:
    for endpoint in (await client.get("/v1/webhooks")).json()["data"]:
        assert (await client.delete(f"/v1/webhooks/{endpoint['id']}")).status_code in (200, 202)
    bodies = [{"url": f"https://e.example/{number}"} for number in range(MAX_ENDPOINTS + 15)]
    replies = await asyncio.gather(*(client.post("/v1/webhooks", json=body) for body in bodies))
    assert Counter(reply.status_code for reply in replies) == {200: MAX_ENDPOINTS, 409: 15}
