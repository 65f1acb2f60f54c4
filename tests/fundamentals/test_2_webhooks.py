"""Page 2: webhooks. The notifier posts the progress and the end of a job to the address that the job names.

`system.receiver` is an HTTP server of the test: it records what it receives and answers 200 unless it is set otherwise.
"""

from uuid import uuid4

from standardwebhooks import Webhook

from tests.support.servers.receiver import Received, status
from tests.support.stacks.system import System


async def final_hooks(system: System, path: str, count: int = 1) -> list[Received]:
    """The webhooks at a path that report the end of a job, as soon as there are `count`."""

    def finals() -> list[Received]:
        return [one for one in system.receiver.at(path) if one.json["phase"] in ("completed", "error")]

    await system.receiver.wait_for(lambda _: len(finals()) >= count, 120, f"{count} final webhooks at {path}")
    return finals()


async def test_a_webhook_reports_the_end_of_a_job(system: System) -> None:
    """The body carries the results. The token of the job comes back, so that the receiver knows the sender."""
    path = f"/orders/{uuid4().hex}"
    webhook = {"url": system.receiver.url(path), "token": "my-token", "jobId": "order-1"}
    job_id = await system.create(webhook=webhook)
    (hook,) = await final_hooks(system, path)
    assert hook.headers["Authorization"] == "Bearer my-token"
    assert hook.json["phase"] == "completed"
    assert hook.json["job"] == {"id": "order-1"}
    assert hook.json["process"] == {"id": job_id, "main_processor": "noop"}


async def test_a_webhook_is_signed(system: System) -> None:
    """Signatures follow Standard Webhooks 1.0, so that its libraries verify them. They are sent for every webhook."""
    path = f"/signed/{uuid4().hex}"
    await system.create(webhook={"url": system.receiver.url(path)})
    (hook,) = await final_hooks(system, path)
    reply = await system.client.get("/api/webhooks/signing-keys")
    secret = reply.json()["data"]["keys"][0]["secret"]
    assert Webhook(secret).verify(hook.body, hook.headers) == hook.json


async def test_a_webhook_that_fails_is_sent_again_under_the_same_id(system: System) -> None:
    """Delivery is at least once. A receiver recognises a repeat by its `webhook-id`."""
    path = f"/retried/{uuid4().hex}"
    system.receiver.answers(path, status(503), status(503), status(503), status(200))
    await system.create(webhook={"url": system.receiver.url(path)})
    hooks = await final_hooks(system, path, count=2)
    assert len({hook.headers["webhook-id"] for hook in hooks}) == 1


async def test_every_delivery_can_be_looked_up(system: System) -> None:
    """The outcome of each attempt is a fact too, in the topic of deliveries."""
    path = f"/gone/{uuid4().hex}"
    system.receiver.answers(path, status(410))
    job_id = await system.create(webhook={"url": system.receiver.url(path)})

    async def abandoned() -> bool:
        reply = await system.client.get(f"/api/jobs/{job_id}/deliveries")
        return [one["outcome"] for one in reply.json()["data"]["deliveries"]][-1:] == ["abandoned"]

    await system.receiver.wait_for(lambda _: abandoned(), 120, "the delivery to be abandoned: 410 is not retried")
