"""Endpoints that are gone, removed or blocked."""

from piperoll.settings import Settings
from schemas.events import (
    EndpointRemoved,
    WebhookAbandoned,
)
from schemas.ids import draw_job_id
from tests.support.notifier.notices import pending, wait_for_facts
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import STARTED, running
from tests.support.waiting import PATIENCE_S, wait_until


async def test_an_endpoint_that_is_gone_gets_nothing_more_and_this_is_recorded(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(410))
        endpoint_id = await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED)
        facts = await wait_for_facts(rig, job_id, WebhookAbandoned, WebhookAbandoned)
        assert [fact.reason for fact in facts] == ["GONE", "GONE"]  # type: ignore[attr-defined]
        await rig.append(job_id, rig.completed(job_id))
        state = await rig.pool.fetchval("SELECT state FROM notifier.endpoints WHERE endpoint_id = $1", endpoint_id)
        assert (state, await pending(rig), len(receiver.received)) == ("gone", 0, 1)


async def test_a_removed_endpoint_gets_nothing_more_and_its_secrets_are_deleted(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500))
        endpoint_id = await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED)
        await receiver.wait_for(lambda it: it.at("/hook"))
        await rig.tell(endpoint_id, EndpointRemoved(by="owner"))
        await rig.append(job_id, rig.completed(job_id))

        async def none_is_pending() -> bool:  # a change whose outcome was being written is left to the sweep
            return await pending(rig) == 0

        await wait_until(none_is_pending, PATIENCE_S, "the open change to be withdrawn")
        assert not list(rig.blobs.list(f"endpoints/{endpoint_id}"))
        row = await rig.pool.fetchrow("SELECT * FROM notifier.endpoints WHERE endpoint_id = $1", endpoint_id)
        assert row is not None
        assert (row["state"], row["url"], row["token"], row["secret"]) == ("removed", None, None, None)
        assert await rig.pool.fetchval("SELECT count(*) FROM notifier.followed") == 0


async def test_a_private_address_is_given_up_at_dial_time(environment: dict[str, str]) -> None:
    settings = Settings.from_environment({**environment, "PIPEROLL_ALLOW_PRIVATE_NETWORKS": ""})
    async with Receiver() as receiver, running(settings) as rig:
        await rig.register(receiver.url(), "PENDING")
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None))
        (fact,) = await wait_for_facts(rig, job_id, WebhookAbandoned)
        assert fact.reason == "BLOCKED_ADDRESS"  # type: ignore[attr-defined]
        assert not receiver.received
