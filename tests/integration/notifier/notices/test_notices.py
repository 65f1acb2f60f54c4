"""Notices after faults and delays, trials, and the cost of a poll."""

import json

from standardwebhooks import Webhook

from piperoll.settings import Settings
from schemas.events import (
    EndpointTested,
    JobErased,
    WebhookAbandoned,
    WebhookDelivered,
)
from schemas.ids import draw_job_id
from services.notifier.notices.queue import SQL
from tests.support.notifier.notices import pending, wait_for_facts, wait_for_statuses
from tests.support.notifier.plans import explain, nodes
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.notifying import SECRET, STARTED, MemoryLog, Rig, ago, running
from tests.support.waiting import wait_until

DAY_S = 86400


async def test_after_a_lost_schema_nothing_is_repeated_and_nothing_is_lost(quick: Settings) -> None:
    log = MemoryLog()
    async with Receiver() as receiver:
        async with running(quick, log) as rig:
            await rig.register(receiver.url())
            job_id = draw_job_id()
            await rig.append(job_id, rig.created(job_id, None), STARTED)
            await wait_for_facts(rig, job_id, WebhookDelivered, WebhookDelivered)
            await rig.append(job_id, rig.completed(job_id), deliver=False)
        async with running(quick, log):
            await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")


async def test_a_change_first_seen_a_day_late_is_not_sent_and_this_is_recorded(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick, MemoryLog(clock=ago(DAY_S + 60))) as rig:
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED)
        facts = await wait_for_facts(rig, job_id, WebhookAbandoned, WebhookAbandoned)
        assert {fact.reason for fact in facts} == {"TOO_OLD"}  # type: ignore[attr-defined]
        assert not receiver.received


async def test_a_trial_is_marked_as_one_and_sent_once(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500))
        endpoint_id = await rig.register(receiver.url(), "DONE")
        await rig.tell(endpoint_id, EndpointTested(by="owner"))
        (trial,) = await receiver.wait_for(lambda it: it.at("/hook"))
        assert trial.json["metadata"]["test"] is True
        assert trial.json["targetId"] == endpoint_id
        assert Webhook(SECRET).verify(trial.body, {name.lower(): text for name, text in trial.headers.items()})
        await wait_until(lambda: pending_is_zero(rig), 20, "the trial to be settled")
        assert len(receiver.received) == 1


async def pending_is_zero(rig: Rig) -> bool:
    return await pending(rig) == 0


async def test_an_erased_job_is_sent_as_killed_without_content(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), "KILLED")
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None), STARTED, JobErased(by="owner"))
        await wait_for_statuses(receiver, job_id, "KILLED")


async def test_an_owner_without_endpoints_costs_one_query_a_poll_and_no_row(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = await rig.run_job(receiver.url())
        await rig.wait_for_state(job_id, "delivered")
        for table in ("followed", "notices"):
            assert await rig.pool.fetchval(f"SELECT count(*) FROM notifier.{table}") == 0
        async with rig.pool.acquire() as connection, connection.transaction():
            plan = await explain(connection, SQL["endpoints_of"], ["owner"])
            assert plan["Actual Rows"] == 0


async def test_claiming_among_many_due_notices_of_a_dead_endpoint_reads_only_what_it_takes(quick: Settings) -> None:
    async with running(quick) as rig:
        await rig.pool.execute(
            """INSERT INTO notifier.notices (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at)
            SELECT 'dead-' || n, 'dead', 'owner', 'http://192.0.2.1:80', '[{"number": 1}]', 1, now()
            FROM generate_series(1, 50000) AS n"""
        )
        await rig.pool.execute(
            """INSERT INTO notifier.notices (job_id, endpoint_id, owner, origin, changes, taken, next_attempt_at)
            VALUES ('alive', 'alive', 'owner', 'http://192.0.2.2:80', '[{"number": 1}]', 1, now())"""
        )
        await rig.pool.execute(
            """INSERT INTO notifier.endpoints (endpoint_id, owner, state, origin, url, statuses, since)
            VALUES ('alive', 'owner', 'on', 'http://192.0.2.2:80', 'http://192.0.2.2/', '{}', now())"""
        )
        await rig.pool.execute("ANALYZE notifier.notices")
        async with rig.pool.acquire() as connection, connection.transaction():
            claim = await explain(connection, SQL["claim"], ["owner"], ["http://192.0.2.2:80"], [8], 60.0, "one")
            origins = await explain(connection, SQL["due_receivers"], [], [], 500)
            lease = await connection.fetchval("SELECT leased_until FROM notifier.notices WHERE job_id = 'alive'")
            settle = await explain(connection, SQL["settle"], ["alive"], ["alive"], [lease], [1], [1], [None])
        for plan in (claim, origins, settle):
            on_notices = [node for node in nodes(plan) if node.get("Relation Name") == "notices"]
            assert "Seq Scan" not in json.dumps([node["Node Type"] for node in on_notices])
            read = max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))
            assert read <= 8, "it must not read the dead endpoint's rows"
        await rig.pool.execute("TRUNCATE notifier.notices")
