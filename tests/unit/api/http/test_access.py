"""Which requests need a key, and which keys are accepted."""

import pytest

from tests.support.stacks.memory_api import NOOP, MemoryApi, error


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
    reply = await api.client.post(
        "/api/jobs", json=NOOP, headers={"Authorization": f"Bearer pr_0123456789ab.{'x' * 43}"}
    )
    assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"


async def test_health_and_docs_need_no_key(api: MemoryApi) -> None:
    without_key = {"Authorization": ""}
    paths = ("/api/health", "/api/health/", "/api/health/live", "/api/health/ready", "/api/doc")
    for path in paths:
        assert (await api.client.get(path, headers=without_key)).status_code == 200, path
    document = (await api.client.get("/api/swagger.json", headers=without_key)).json()
    assert {"/api/jobs/", "/api/jobs/{job_id}", "/api/jobs/batch", "/api/files"} <= set(document["paths"])


async def test_metrics_are_not_served_at_the_port_of_clients(api: MemoryApi) -> None:
    assert error(await api.client.get("/metrics", headers={"Authorization": ""}), 401)
    assert error(await api.client.get("/metrics"), 404)
