"""Idempotency keys over a real Kafka, a real Postgres and a real projector."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from tests.support.stacks.api import (
    NOOP,
    Api,
    refused,
)


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/batch"])
async def test_one_key_creates_once_and_repeats_get_the_first_answer(api: Api, path: str) -> None:
    body = {"jobs": [NOOP]} if path.endswith("batch") else NOOP
    headers = {"Idempotency-Key": uuid4().hex}
    first = await api.client.post(path, json=body, headers=headers)
    repeats = await asyncio.gather(*(api.client.post(path, json=body, headers=headers) for _ in range(5)))
    assert {reply.text for reply in (first, *repeats)} == {first.text}
    assert not any("Piperoll-Idempotency" in reply.headers for reply in repeats)
    other = {**body, "user_id": "else"}
    refused(await api.client.post(path, json=other, headers=headers), 422, "IDEMPOTENCY_CONFLICT")


async def test_of_different_bodies_under_one_key_at_the_same_time_one_wins(api: Api) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    bodies = [{**NOOP, "user_id": f"user-{number}"} for number in range(6)]
    replies = await asyncio.gather(*(api.client.post("/api/jobs", json=body, headers=headers) for body in bodies))
    assert Counter(reply.status_code for reply in replies) == {200: 1, 422: 5}
    won = next(number for number, reply in enumerate(replies) if reply.status_code == 200)
    job = await api.job(replies[won].json()["data"]["job_id"])
    assert job["user_id"] == f"user-{won}"
