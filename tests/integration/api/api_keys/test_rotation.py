"""Rotations of API keys over HTTP, against a real Postgres."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.stacks.api import Api, refused
from tests.support.stacks.key_admin import create, let_in, listed
from tests.support.waiting import wait_until


async def test_a_rotated_key_is_valid_for_the_overlap_and_its_successor_expires_when_it_would_have(api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(days=90)).isoformat(timespec="seconds").replace("+00:00", "Z")
    old = await create(api, "admin", "jobs", expires_at=ends)
    assert await let_in(api, old)
    reply = await api.client.post(f"/api/keys/{old['id']}/rotate", json={"overlap_s": 2})
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    new = reply.json()["data"]
    assert [new[name] for name in ("owner", "scopes", "expires_at")] == [old["owner"], ["admin", "jobs"], ends]
    assert new["replaces"]["id"] == old["id"]
    assert (await listed(api))[old["id"]]["expires_at"] == new["replaces"]["expires_at"]
    assert await let_in(api, new)
    assert await let_in(api, old)

    async def over() -> bool:
        return not await let_in(api, old)

    await wait_until(over, 10, "the old key to end")
    assert await let_in(api, new)
    refused(await api.client.post(f"/api/keys/{old['id']}/rotate"), 409, "CONFLICT")


async def test_an_overlap_of_0_ends_the_old_key_at_once_and_the_default_is_a_day(api: Api) -> None:
    old = await create(api)
    assert await let_in(api, old)
    new = (await api.client.post(f"/api/keys/{old['id']}/rotate", json={"overlap_s": 0})).json()["data"]
    assert "expires_at" not in new
    assert not await let_in(api, old)
    newest = (await api.client.post(f"/api/keys/{new['id']}/rotate")).json()["data"]
    left = datetime.fromisoformat(newest["replaces"]["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(days=1)


async def test_an_overlap_does_not_extend_a_key(api: Api) -> None:
    ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    old = await create(api, expires_at=ends)
    new = (await api.client.post(f"/api/keys/{old['id']}/rotate")).json()["data"]
    assert new["expires_at"] == new["replaces"]["expires_at"] == ends


@pytest.mark.parametrize("overlap", [-1, "5", 30 * 86400 + 1, None, True])
async def test_an_invalid_overlap_is_refused(api: Api, overlap: Any) -> None:
    made = await create(api)
    reply = await api.client.post(f"/api/keys/{made['id']}/rotate", json={"overlap_s": overlap})
    refused(reply, 400, "INVALID_PARAMETERS")
    assert await let_in(api, made)
