"""Jobs of other owners, and keys that are not valid, over a real Kafka, Postgres and projector."""

import asyncpg
import pytest

from piperoll import keys
from piperoll.settings import Settings
from tests.support.stacks.api import (
    NOOP,
    Api,
    refused,
)


async def test_a_job_of_another_owner_is_not_found(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    job_id = await api.create()
    _, key = await keys.create(pool, settings.key_pepper.get_secret_value(), "stranger")
    stranger = {"Authorization": f"Bearer {key}"}
    assert (await api.client.post("/api/jobs", json=NOOP, headers=stranger)).status_code == 200
    for suffix in ("", "/events", "/deliveries"):
        refused(await api.client.get(f"/api/jobs/{job_id}{suffix}", headers=stranger), 404, "NOT_FOUND")
    refused(await api.client.post(f"/api/jobs/{job_id}/cancel", headers=stranger), 404, "NOT_FOUND")
    assert (await api.job(job_id))["status"] == "pending"


async def test_a_revoked_key_and_an_unknown_key_are_refused(api: Api, pool: asyncpg.Pool, settings: Settings) -> None:
    made, key = await keys.create(pool, settings.key_pepper.get_secret_value(), "acme", ["jobs"])
    assert made.key_id in key
    assert made in await keys.list_all(pool)
    header = {"Authorization": f"Bearer {key}"}
    assert (await api.client.post("/api/jobs", json=NOOP, headers=header)).status_code == 200
    assert await keys.revoke(pool, made.key_id) is not None
    refused(await api.client.post("/api/jobs", json=NOOP, headers=header), 401, "UNAUTHORIZED")
    never = {"Authorization": "Bearer pr_000000000000.never"}
    refused(await api.client.post("/api/jobs", json=NOOP, headers=never), 401, "UNAUTHORIZED")
    assert await keys.revoke(pool, "no-such-id") is None


@pytest.mark.parametrize(("owner", "scopes"), [("../up", ["jobs"]), ("a/b", ["jobs"]), ("", ["jobs"]), ("a", ["root"])])
async def test_a_key_with_an_invalid_owner_or_scope_is_not_created(
    pool: asyncpg.Pool, owner: str, scopes: list[str]
) -> None:
    with pytest.raises(ValueError, match=r"owner|scopes"):
        await keys.create(pool, "pepper", owner, scopes)
