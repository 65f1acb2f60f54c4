"""Jobs of every type, as the API and the workers append them, and their list under `/v1`."""

import json
from datetime import timedelta
from typing import Any

from piperoll.clock import utc_now
from schemas.devana import TYPE_NAMES
from schemas.documents import Resolved, parameters_document
from schemas.envelope import Fact
from schemas.events import Event, JobCompleted, JobCreated, JobFailed, JobStarted
from schemas.ids import draw_job_id, draw_run, event_id
from schemas.job_types.registry import OWN
from schemas.topics import JOB_EVENTS
from tests.support.stacks.api import Api

TYPES = {job_type: name for name in TYPE_NAMES for job_type in OWN.devana(name)}


async def append(api: Api, job_id: str, *events: Event, owner: str = "local", age_s: float = 0.0) -> None:
    for event in events:
        time = utc_now() - timedelta(seconds=age_s)
        await api.appender.append(
            JOB_EVENTS, Fact(event_id(draw_run(), type(event).__name__), job_id, owner, time, "tests", event)
        )


async def create(
    api: Api,
    job_type: str = "pdf",
    parameters: dict[str, Any] | None = None,
    resolved: Resolved | None = None,
    owner: str = "local",
    age_s: float = 0.0,
    **created: Any,
) -> str:
    """A job of any type, as the API would create it."""
    job_id = draw_job_id()
    document = parameters_document(job_type, parameters or {}, resolved)
    claim = api.blobs.put(f"{job_id}/in", json.dumps(document).encode())
    event = JobCreated(job_type=job_type, parameters=claim, body_sha256="0" * 64, **created)
    await append(api, job_id, event, owner=owner, age_s=age_s)
    return job_id


async def start(api: Api, job_id: str) -> str:
    run = draw_run()
    await append(api, job_id, JobStarted(number=1, run=run, worker="w"))
    return run


async def complete(api: Api, job_id: str, **numbers: Any) -> None:
    run = await start(api, job_id)
    result = api.blobs.put(f"{job_id}/{run}", b"{}")
    await append(api, job_id, JobCompleted(run=run, result=result, **numbers))


async def fail(api: Api, job_id: str, message: str) -> None:
    run = await start(api, job_id)
    details = api.blobs.put(f"{job_id}/{run}", json.dumps({"code": "INVALID_PDF", "message": message}).encode())
    await append(api, job_id, JobFailed(run=run, error_code="INVALID_PDF", details=details))


async def jobs(api: Api, **query: Any) -> list[dict[str, Any]]:
    reply = await api.client.get("/v1/jobs", params=query)
    assert reply.status_code == 200, reply.text
    assert reply.json().keys() == {"success", "data"}
    assert reply.json()["success"] is True
    return list(reply.json()["data"])


async def ids(api: Api, **query: Any) -> list[str]:
    return [job["id"] for job in await jobs(api, **query)]
