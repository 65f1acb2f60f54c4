"""Registered endpoints of the notifier: real Postgres, real sockets, a log in memory."""

import asyncio
import json
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from piperoll.clock import utc_now
from piperoll.settings import Settings
from schemas.events import (
    EndpointRemoved,
    EndpointTested,
    Event,
    JobCancelled,
    JobErased,
    JobFailed,
    JobReleased,
    JobRetryScheduled,
    JobStarted,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
)
from schemas.ids import draw_job_id
from schemas.topics import ENDPOINT_EVENTS
from services.notifier.notices.queue import SQL
from tests.integration.notifier.test_queue import explain, nodes
from tests.support.servers.receiver import Receiver, hang, status
from tests.support.stacks.notifying import SECRET, STARTED, MemoryLog, Rig, ago, running
from tests.support.waiting import wait_until

DAY_S = 86400


@pytest.fixture(scope="module")
def quick(environment: dict[str, str]) -> Settings:
    """A short schedule, and timeouts that no test waits for."""
    return Settings.from_environment(
        {
            **environment,
            "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PIPEROLL_DELIVERY_SCHEDULE_S": "0,0.1,0.2",
            "PIPEROLL_FINAL_TIMEOUT_S": "3600",
            "PIPEROLL_INSTANCE": "one",
        }
    )


def statuses_of(receiver: Receiver, job_id: str, path: str = "/hook") -> list[str]:
    """The statuses that came of a job, in the order they came."""
    return [one.json["status"] for one in receiver.at(path) if one.json["jobId"] == job_id]


async def wait_for_statuses(receiver: Receiver, job_id: str, *statuses: str, path: str = "/hook") -> None:
    await receiver.wait_for(lambda it: len(statuses_of(it, job_id, path)) >= len(statuses), description=f"{statuses}")
    assert statuses_of(receiver, job_id, path) == list(statuses)


async def pending(rig: Rig) -> int:
    """How many notices are left to send."""
    count = await rig.pool.fetchval("SELECT count(*) FROM notifier.notices WHERE next_attempt_at IS NOT NULL")
    return int(count)


async def wait_for_facts(rig: Rig, job_id: str, *kinds: type[Event]) -> list[Event]:
    facts = await rig.wait_for_deliveries(job_id, len(kinds))
    assert [type(fact) for fact in facts] == list(kinds)
    return facts


async def test_each_change_of_status_is_sent_in_order_and_signed(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        endpoint_id = await rig.register(receiver.url(), token="token-of-mine")
        job_id = await rig.run_job(receiver.url("/own"), progress=3)
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        first, _, last = receiver.at("/hook")
        assert last.json == {
            "jobId": job_id,
            "status": "DONE",
            "targetId": job_id,
            "type": "EXTRACTION",
            "metadata": {"mimeType": "application/pdf", "extractionMethod": "native"},
        }
        for one in (first, last):
            assert Webhook(SECRET).verify(one.body, {name.lower(): text for name, text in one.headers.items()})
            assert one.headers["Authorization"] == "Bearer token-of-mine"
            assert one.headers["X-Callback-Token"] == "token-of-mine"
        assert len({one.headers["webhook-id"] for one in receiver.at("/hook")}) == 3
        facts = [fact for fact in await rig.wait_for_deliveries(job_id, 5) if fact.endpoint_id]  # type: ignore[attr-defined]
        assert [(fact.phase, fact.endpoint_id, fact.change) for fact in facts] == [  # type: ignore[attr-defined]
            ("status", endpoint_id, 1),
            ("status", endpoint_id, 2),
            ("status", endpoint_id, 6),
        ]
        assert [one.json["phase"] for one in receiver.at("/own")][-1] == "completed", "the job's own webhook as ever"


async def test_a_retry_and_a_release_are_sent_as_pending_and_refused_facts_not_at_all(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(
            job_id,
            rig.created(job_id, None),
            STARTED,
            JobStarted(number=7, run="other", worker="worker"),
            JobRetryScheduled(run="run", error_code="TIMEOUT", delay_s=0),
            JobStarted(number=2, run="second", worker="worker"),
            JobReleased(run="second", reason="drain"),
            JobStarted(number=3, run="run", worker="worker"),
            rig.completed(job_id),
            JobCancelled(by="owner"),
        )
        expected = ("PENDING", "IN_PROGRESS") * 3
        await wait_for_statuses(receiver, job_id, *expected, "DONE")


async def test_a_failed_job_is_sent_with_its_error_and_a_cancelled_one_as_killed(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), "ERROR", "KILLED")
        failed, cancelled = draw_job_id(), draw_job_id()
        details = rig.put(f"{failed}/run", {"message": "The file is not a PDF.", "details": {}})
        await rig.append(
            failed, rig.created(failed, None), STARTED, JobFailed(run="run", error_code="INVALID_PDF", details=details)
        )
        await rig.append(cancelled, rig.created(cancelled, None), JobCancelled(by="owner"))
        await wait_for_statuses(receiver, failed, "ERROR")
        await wait_for_statuses(receiver, cancelled, "KILLED")
        (error,) = (one.json for one in receiver.at("/hook") if one.json["jobId"] == failed)
        assert error["metadata"]["error"] == "The file is not a PDF."


async def test_a_failing_change_is_tried_again_before_the_next_one_and_then_given_up(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        receiver.answers("/hook", status(500), status(500), status(200), *[status(500)] * 3, status(200))
        await rig.register(receiver.url())
        job_id = await rig.run_job("http://192.0.2.1/")
        await wait_for_statuses(receiver, job_id, *["PENDING"] * 3, *["IN_PROGRESS"] * 3, "DONE")
        ids = [one.headers["webhook-id"] for one in receiver.at("/hook")]
        assert len(set(ids[:3])) == len(set(ids[3:6])) == 1

        async def outcomes() -> list[str] | None:
            facts = [fact for fact in await rig.deliveries(job_id) if fact.endpoint_id]  # type: ignore[attr-defined]
            return [type(fact).__name__ for fact in facts] if len(facts) >= 8 else None

        failed, delivered = WebhookFailed.__name__, WebhookDelivered.__name__
        assert await wait_until(outcomes, 20, "the outcomes") == [
            *[failed] * 2,
            delivered,
            *[failed] * 3,
            WebhookAbandoned.__name__,
            delivered,
        ]


async def test_a_dead_endpoint_slows_neither_another_one_nor_the_jobs_own_webhooks(quick: Settings) -> None:
    async with running(quick) as rig, Receiver() as dead, Receiver() as alive:
        dead.answers("/hook", hang)
        await rig.register(dead.url())
        await rig.register(alive.url())
        jobs = [await rig.run_job(alive.url("/own")) for _ in range(20)]
        for job_id in jobs:
            await wait_for_statuses(alive, job_id, "PENDING", "IN_PROGRESS", "DONE")
            await rig.wait_for_state(job_id, "delivered")
        assert len(dead.received) <= quick.receiver_concurrency


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
        assert await pending(rig) == 0
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


async def test_jobs_of_other_owners_and_unknown_job_types_are_not_sent(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), owner="another-owner")
        foreign = await rig.run_job("http://192.0.2.1/")
        assert await pending(rig) == 0
        assert await rig.pool.fetchval("SELECT count(*) FROM notifier.followed") == 0
        await rig.register(receiver.url())
        job_id = draw_job_id()
        noop = rig.created(job_id, None).model_copy(update={"job_type": "noop"})
        await rig.append(job_id, noop, STARTED)
        assert (await pending(rig), statuses_of(receiver, foreign), statuses_of(receiver, job_id)) == (0, [], [])


async def test_an_endpoint_gets_only_changes_after_its_registration(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        running_job = draw_job_id()
        await rig.append(running_job, rig.created(running_job, None), STARTED)
        ended = await rig.run_job("http://192.0.2.1/")
        await next_millisecond()
        await rig.register(receiver.url())
        await rig.append(running_job, rig.completed(running_job))
        await wait_for_statuses(receiver, running_job, "DONE")
        assert statuses_of(receiver, ended) == []


async def test_a_registration_read_after_the_jobs_it_concerns_misses_none_of_them(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.register(receiver.url(), deliver=False)
        await rig.log.unsubscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        job_id = await rig.run_job("http://192.0.2.1/")
        later = draw_job_id()
        await rig.append(later, rig.created(later, None), STARTED)
        await rig.log.subscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        await rig.log.deliver()
        await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        await rig.append(later, rig.completed(later))
        await wait_for_statuses(receiver, later, "PENDING", "IN_PROGRESS", "DONE")


async def test_a_registration_read_while_jobs_come_in_misses_none_and_sends_none_twice(quick: Settings) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        await rig.log.unsubscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
        await rig.register(receiver.url(), deliver=False)
        job_ids: list[str] = []

        async def come_in() -> None:
            for _ in range(40):
                job_ids.append(await rig.run_job("http://192.0.2.1/"))

        async def join() -> None:
            await wait_until(lambda: len(job_ids) >= 10, 20, "the first jobs")
            await rig.log.subscribe(ENDPOINT_EVENTS, rig.notifier.endpoint_events)
            await rig.log.deliver()

        await asyncio.gather(come_in(), join())
        for job_id in job_ids:
            await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")


async def test_two_processes_share_the_notices_and_send_each_once(quick: Settings) -> None:
    log, other = MemoryLog(), quick.model_copy(update={"instance": "two"})
    async with Receiver() as receiver, running(quick, log) as one, running(other, log, fresh=False):
        await one.register(receiver.url())
        job_ids = [await one.run_job("http://192.0.2.1/") for _ in range(30)]
        for job_id in job_ids:
            await wait_for_statuses(receiver, job_id, "PENDING", "IN_PROGRESS", "DONE")
        sent = [notice.headers["webhook-id"] for notice in receiver.received]
        assert len(sent) == len(set(sent)) == 90


async def test_what_a_killed_process_had_claimed_is_sent_when_its_lease_ends(quick: Settings) -> None:
    async with running(quick) as rig, Receiver() as receiver:
        receiver.answers("/hook", hang)
        await rig.register(receiver.url())
        job_id = draw_job_id()
        await rig.append(job_id, rig.created(job_id, None))
        await receiver.wait_for(lambda it: it.at("/hook"))
        await rig.pool.execute("UPDATE notifier.notices SET leased_until = now() + interval '1 second'")
        receiver.answers("/hook", status(200))
        await wait_until(lambda: len(receiver.at("/hook")) == 2, 20, "the second attempt")
        assert len({notice.headers["webhook-id"] for notice in receiver.at("/hook")}) == 1


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


async def next_millisecond() -> None:
    """Append times have no finer resolution."""
    begun = utc_now()
    await wait_until(lambda: utc_now() - begun > timedelta(milliseconds=2), 5, "the clock")


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
            claim = await explain(connection, SQL["claim"], ["http://192.0.2.2:80"], [8], 60.0, "one")
            origins = await explain(connection, SQL["due_origins"])
            lease = await connection.fetchval("SELECT leased_until FROM notifier.notices WHERE job_id = 'alive'")
            settle = await explain(connection, SQL["settle"], ["alive"], ["alive"], [lease], [1], [1], [None])
        for plan in (claim, origins, settle):
            on_notices = [node for node in nodes(plan) if node.get("Relation Name") == "notices"]
            assert "Seq Scan" not in json.dumps([node["Node Type"] for node in on_notices])
            read = max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))
            assert read <= 8, "it must not read the dead endpoint's rows"
        await rig.pool.execute("TRUNCATE notifier.notices")
