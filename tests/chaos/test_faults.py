"""Faults under load: killed processes, a broker or a database that is down.

Each test ends with the same checks: every acknowledged job ended once, the read model equals the log, and the receiver
got every end under one id.
"""

import asyncio

import httpx
import psutil
import pytest

from schemas.events import JobCompleted, JobCreated, JobStarted
from tests.support.stacks.system import System, is_final
from tests.support.waiting import wait_until


async def hooked(system: System, count: int, **parameters: object) -> list[str]:
    """Create jobs with a webhook."""
    webhook = {"url": system.receiver.url("/hook"), "token": "secret"}
    made = [system.create(webhook=webhook, **parameters) for _ in range(count)]
    return list(await asyncio.gather(*made))


async def check(system: System, job_ids: list[str]) -> None:
    """The checks after every fault."""
    ended = await system.wait_for_all(job_ids)
    assert {job["status"] for job in ended} == {"completed"}
    for job_id, hooks in (await system.wait_for_final_hooks(job_ids)).items():
        finals = [hook for hook in hooks if is_final(hook)]
        assert len({hook["webhook-id"] for hook in finals}) == 1, f"{job_id} has two final webhooks"
        last_first = next(index for index, hook in enumerate(hooks) if is_final(hook))
        assert all(is_final(hook) for hook in hooks[last_first:]), f"progress of {job_id} followed its end"
    report = await system.verify()
    assert not report.violations, report.violations


async def test_a_job_whose_worker_is_killed_completes_on_a_later_attempt(system: System) -> None:
    begin = await system.log_end()
    finished = await hooked(system, 5)
    await system.wait_for_all(finished)
    running = await hooked(system, 2, behaviour="loop", until_attempt=2)  # ends only when it is run again
    for job_id in running:
        await system.wait_for_status(job_id, "processing")
    await system.stack.kill("worker")
    await check(system, finished + running)
    starts = [fact for fact in await system.facts_of({*finished, *running}, begin) if isinstance(fact.data, JobStarted)]
    assert [fact.subject for fact in starts].count(running[0]) == 2, "the killed run was followed by one other"
    assert all([fact.subject for fact in starts].count(job_id) == 1 for job_id in finished), "no finished job ran again"


async def test_a_batch_is_expanded_once_even_if_its_worker_dies(system: System) -> None:
    begin, count = await system.log_end(), 1500
    batch = await system.create_batch(count)
    members = {member["job_id"] for member in batch["jobs"]}

    worker = psutil.Process(system.stack.pid("worker"))

    async def begun() -> bool:
        """Counts while the worker is suspended, so that it makes no progress meanwhile."""
        worker.suspend()
        if await system.count_facts(JobCreated, members, begin) >= 200:
            return True
        worker.resume()
        return False

    await wait_until(begun, 60, "the first members to be created")
    await system.stack.kill("worker")
    written = await system.count_facts(JobCreated, members, begin)
    assert written < count, "the worker was killed in the middle of the expansion"
    finished = {fact.subject for fact in await system.facts_of(members, begin) if isinstance(fact.data, JobCompleted)}

    async def ended() -> bool:
        return (await system.batch(batch["batch_id"]))["status"] == "completed"

    await wait_until(ended, 150, "the batch to be completed")
    after = await system.batch(batch["batch_id"])
    assert (after["job_count"], after["completed_count"], after["failed_count"]) == (count, count, 0)
    runs: dict[str, list[int]] = {}
    for fact in await system.facts_of(members, begin):
        if isinstance(fact.data, JobStarted):
            runs.setdefault(fact.subject, []).append(fact.data.number)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in runs.values()), "no finished member ran again"
    # A job that ended just before the kill, before its end was in the log, may run again: a slot is free before the
    # acknowledgement.
    assert all(runs[job_id] == [1] for job_id in finished)
    assert not (await system.verify()).violations


@pytest.mark.parametrize("service", ["projector", "notifier"])
async def test_killing_a_service_under_load_loses_and_repeats_nothing(system: System, service: str) -> None:
    first = await hooked(system, 100)
    await system.stack.kill(service)
    second = await hooked(system, 100)
    await system.stack.kill(service)
    await check(system, first + second)


async def test_every_acknowledged_job_completes_after_an_outage_of_the_broker(system: System) -> None:
    acknowledged = await hooked(system, 60)
    await system.stack.stop_kafka()
    refused = await system.client.post("/api/jobs/", json={"job_type": "noop", "parameters": {}})
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "OUTCOME_UNKNOWN"
    assert "Retry-After" in refused.headers
    await system.stack.start_kafka()

    async def accepted() -> str:
        return await system.create()

    acknowledged.append(
        await wait_until(accepted, 60, "a job to be accepted again", not_yet=(AssertionError, httpx.TransportError))
    )
    later = await hooked(system, 20)
    await system.wait_for_all([*acknowledged, *later])
    await check(system, acknowledged[:60] + later)


async def test_jobs_are_accepted_without_postgres_and_readable_after_its_return(system: System) -> None:
    before = await hooked(system, 20)
    await system.wait_for_all(before)
    await system.stack.stop_postgres()
    during = await hooked(system, 20)
    unreadable = await system.client.get(f"/api/jobs/{during[0]}")
    assert unreadable.status_code == 503
    assert unreadable.json()["error"]["code"] == "READ_MODEL_UNAVAILABLE"
    await system.stack.start_postgres()
    await check(system, before + during)


@pytest.mark.parametrize("service", ["worker", "projector", "notifier"])
async def test_a_service_stops_in_time_while_the_broker_is_down(system: System, service: str) -> None:
    """Also with facts that wait for the broker: runs that end, outcomes of hooks, records to project."""
    process = psutil.Process(system.stack.pid(service))
    waiting = await hooked(system, 5, sleep_s=2)
    await system.wait_for_status(waiting[0], "processing")
    await system.stack.stop_kafka()
    process.terminate()

    def ended() -> bool:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    await wait_until(ended, 15, f"the {service} to end by itself")
    await system.stack.start_kafka()

    async def works_again() -> str:
        return await system.create()

    job_id = await wait_until(works_again, 60, "jobs to be accepted", not_yet=(AssertionError, httpx.TransportError))
    assert (await system.wait_for_end(job_id))["status"] == "completed"
    await check(system, waiting)
