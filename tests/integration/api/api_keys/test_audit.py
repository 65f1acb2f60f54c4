"""Who made, rotated and ended which key, and who read and erased what, over HTTP."""

from datetime import UTC, datetime
from typing import Any

import asyncpg

from piperoll import keys
from piperoll.settings import Settings
from tests.support.stacks.api import Api, refused
from tests.support.stacks.key_admin import bearing, create, owner_name
from tests.support.waiting import wait_until


async def audit(api: Api, **query: str) -> list[dict[str, Any]]:
    reply = await api.client.get("/api/audit", params=query)
    assert reply.status_code == 200, reply.text
    return list(reversed(reply.json()["data"]["facts"]))


async def test_changes_of_keys_name_who_made_them(api: Api, pool: asyncpg.Pool) -> None:
    owner = owner_name()
    made = await create(api, "read", owner=owner)
    path = f"/api/keys/{made['id']}"
    heir = (await api.client.post(f"{path}/rotate", json={"overlap_s": 60})).json()["data"]
    await api.client.delete(path)
    await api.client.delete(path)
    await keys.revoke(pool, heir["id"])

    async def all_there() -> list[dict[str, Any]] | None:
        found = await audit(api, owner=owner)
        return found if len(found) == 4 else None

    facts = await wait_until(all_there, 20, "the facts of the keys")
    assert facts is not None
    assert [(one["key_id"], one["action"], one["by"]) for one in facts] == [
        (made["id"], "created", "bootstrap-1"),
        (made["id"], "rotated", "bootstrap-1"),
        (made["id"], "revoked", "bootstrap-1"),
        (heir["id"], "revoked", "piperoll keys"),
    ]
    assert facts[0]["scopes"] == ["read"]
    assert facts[1]["replaced_by"] == heir["id"]
    assert facts[1]["ends_at"]
    assert made["key"].partition(".")[2] not in str(facts)


async def test_a_key_that_ends_in_the_last_second_of_a_calendar_is_a_fact_in_every_time_zone(
    api: Api, settings: Settings
) -> None:
    last, owner = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), owner_name()
    dsn, zone = settings.postgres_dsn.get_secret_value(), {"timezone": "Asia/Tokyo"}
    async with asyncpg.create_pool(dsn, min_size=1, server_settings=zone) as far:
        await keys.create(far, "pepper", owner, expires_at=last)

    async def noted() -> list[dict[str, Any]]:
        return await audit(api, owner=owner)

    (fact,) = await wait_until(noted, 20, "the fact of the key")
    assert fact["ends_at"] == "9999-12-31T23:59:59Z"


async def test_reads_and_erasures_name_the_key_and_the_job(api: Api) -> None:
    key = await create(api, "jobs")
    job_id = await api.create(**bearing(key))
    for _ in range(2):
        assert (await api.client.get(f"/api/jobs/{job_id}", headers=bearing(key))).status_code == 200
    await api.client.post(f"/api/jobs/{job_id}/cancel", headers=bearing(key))
    assert (await api.client.delete(f"/api/jobs/{job_id}", headers=bearing(key))).status_code in (200, 202)

    read = {"route": "GET /api/jobs/{job_id}", "id": job_id}
    erased = {"route": "DELETE /api/jobs/{job_id}", "id": job_id, "times": 1}

    async def all_there() -> bool:
        """Reads are noted every few seconds, so the two of them may be in two facts."""
        facts = [one for one in await audit(api, key_id=key["id"]) if one["type"] == "ContentAccessed"]
        items = {
            action: [item for one in facts if one["action"] == action for item in one["items"]]
            for action in ("read", "erased")
        }
        return sum(one["times"] for one in items["read"] if read.items() <= one.items()) == 2 and items["erased"] == [
            erased
        ]

    await wait_until(all_there, 20, "the facts of the job")


async def test_only_an_admin_reads_the_audit(api: Api) -> None:
    refused(await api.client.get("/api/audit", headers=bearing(await create(api, "jobs"))), 403, "FORBIDDEN")
