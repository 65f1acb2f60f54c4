"""Keys that only read and keys that only submit, over HTTP."""

import pytest

from tests.support.stacks.api import NOOP, Api, refused
from tests.support.stacks.key_admin import bearing, create, owner_name

JOB = "/api/jobs/{id}"
READS = ("/api/jobs/", JOB, f"{JOB}/events", f"{JOB}/deliveries", "/api/jobs/batches", "/v1/jobs", "/v1/webhooks")
WRITES = (("POST", "/api/jobs/"), ("POST", f"{JOB}/cancel"), ("POST", f"{JOB}/restart"), ("DELETE", JOB))


@pytest.mark.parametrize("scopes", [("read",), ("submit",), ("read", "submit"), ("jobs",), ("admin",)])
async def test_a_key_reads_and_submits_by_its_scopes(api: Api, scopes: tuple[str, ...]) -> None:
    owner = owner_name()
    job_id = await api.create(**bearing(await create(api, "jobs", owner=owner)))
    key = bearing(await create(api, *scopes, owner=owner))
    reads, writes = ({*scopes} & {one, "jobs", "admin"} != set() for one in ("read", "submit"))
    for path in READS:
        reply = await api.client.get(path.format(id=job_id), headers=key)
        assert (reply.status_code == 200) is reads, (path, reply.text)
        if not reads:
            refused(reply, 403, "FORBIDDEN")
            assert "'read'" in reply.json()["error"]["message"]
    for method, path in WRITES:
        reply = await api.client.request(
            method, path.format(id=job_id), headers=key, json=NOOP if path[-1] == "/" else {}
        )
        assert (reply.status_code != 403) is writes, (path, reply.text)
    assert (await api.client.get("/api/keys", headers=key)).status_code == (200 if scopes == ("admin",) else 403)
