"""Jobs whose webhooks were given up, without a notifier."""

from typing import Any

from piperoll.clock import utc_now
from piperoll.webhooks.origins import digest_of
from schemas.envelope import Fact
from schemas.events import Event, WebhookAbandoned
from schemas.ids import delivery_id, draw_run, event_id
from schemas.topics import JOB_DELIVERIES
from tests.support.stacks.api import Api
from tests.support.waiting import wait_until

HOOKED: dict[str, Any] = {"job_type": "noop", "parameters": {"webhook": {"url": "https://example.com/hook"}}}
ORIGIN = "https://example.com:443"
LONG_AGO = "2026-01-01T00:00:00Z"


def found(job_id: str) -> dict[str, Any]:
    return {"delivery_id": delivery_id(job_id, "final"), "phase": "completed"}


def gone(job_id: str, origin: str = ORIGIN, reason: str = "GONE") -> Event:
    return WebhookAbandoned(**found(job_id), attempt=1, reason=reason, origin_sha256=digest_of(origin))


async def record(api: Api, job_id: str, *data: Event, owner: str = "local") -> None:
    """Append facts as the notifier would, and wait until the deliveries of the job show them."""
    before = len(await deliveries(api, job_id))
    for one in data:
        fact = Fact(event_id(draw_run(), type(one).__name__), job_id, owner, utc_now(), "tests", one)
        await api.appender.append(JOB_DELIVERIES, fact)

    async def shown() -> bool:
        return len(await deliveries(api, job_id)) == before + len(data)

    await wait_until(shown, 20, f"the deliveries of {job_id}")


async def deliveries(api: Api, job_id: str) -> list[dict[str, Any]]:
    reply = await api.client.get(f"/api/jobs/{job_id}/deliveries")
    assert reply.status_code == 200, reply.text
    return list(reply.json()["data"]["deliveries"])


async def hooked_job(api: Api) -> str:
    """A job with a webhook that has ended."""
    job_id = await api.create(HOOKED)
    await api.run(job_id)
    return job_id
