"""Hooks that cannot be sent: no webhook, unreadable tokens, blocked addresses."""

from piperoll.settings import Settings
from schemas.events import JobErased, WebhookAbandoned
from schemas.ids import draw_job_id
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import STARTED, running


async def test_a_job_without_a_webhook_leaves_no_row(quick: Settings) -> None:
    async with running(quick) as rig:
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED, rig.completed(job_id))
        assert await rig.row(job_id) is None


async def test_a_job_whose_parameters_were_erased_has_no_receiver(quick: Settings) -> None:
    async with running(quick) as rig:
        job_id = draw_job_id()
        created, completed = rig.created(job_id, "http://127.0.0.1:1/hook"), rig.completed(job_id)
        rig.blobs.delete_folder(job_id)
        await rig.append(job_id, created, STARTED, completed, JobErased(by="owner"))
        await rig.notifier.sweep.unroutable.abandon()
        assert await rig.deliveries(job_id) == []
        assert await rig.pool.fetchval("SELECT count(*) FROM notifier.queue WHERE job_id = $1 AND url IS NULL", job_id)


async def test_a_job_whose_parameters_are_lost_is_given_up_visibly_once_it_has_ended(quick: Settings) -> None:
    async with running(quick) as rig:
        job_id = draw_job_id()
        created, completed = rig.created(job_id, "http://127.0.0.1:1/hook"), rig.completed(job_id)
        rig.blobs.delete_folder(f"{job_id}/in")
        await rig.append(job_id, created, STARTED)
        await rig.notifier.sweep.unroutable.abandon()
        assert await rig.deliveries(job_id) == []
        await rig.append(job_id, completed)
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert (fact.phase, fact.reason, fact.attempt) == ("completed", "LOST", 0)
        assert await rig.state(job_id) == "abandoned"


async def test_a_token_that_no_key_opens_is_abandoned_as_unreadable(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url(), token="!k9.AAAA")
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookAbandoned)
        assert fact.reason == "UNREADABLE"
        assert not receiver.received


async def test_a_name_that_leads_to_a_private_address_is_recorded_as_blocked(environment: dict[str, str]) -> None:
    closed = Settings.from_environment({**environment, "PIPEROLL_ALLOW_PRIVATE_NETWORKS": ""})
    async with Receiver() as receiver, running(closed) as rig:
        job_id = await rig.run_job(receiver.url().replace("127.0.0.1", "localhost"), progress=1)
        facts = await rig.wait_for_deliveries(job_id, 2)
        assert [(type(fact).__name__, fact.phase, fact.reason) for fact in facts] == [  # type: ignore[attr-defined]
            ("WebhookAbandoned", "processing", "BLOCKED_ADDRESS"),
            ("WebhookAbandoned", "completed", "BLOCKED_ADDRESS"),
        ]
        assert not receiver.received
