"""The records of a key as lines: what a report of a violation shows."""

from datetime import UTC, datetime

from piperoll.log import trace
from piperoll.log.trace import traces
from schemas.envelope import encode
from schemas.events import JobCompleted, JobStarted
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.histories.jobs import claim, created, fact
from tests.support.memory_log import MemoryLog

NOW = datetime(2026, 3, 1, 12, 30, 5, 250_000, UTC)


async def test_the_records_of_a_key_are_shown_in_append_order_without_content() -> None:
    log = MemoryLog(partitions=1, clock=lambda: NOW)
    for number, job_id in enumerate(("job-a", "job-b")):
        await log.append(JOB_EVENTS, fact(job_id, created(), number))
    await log.append(JOB_EVENTS, fact("job-a", JobStarted(number=1, run="run-a", worker="worker-1"), 3))
    await log.append(JOB_EVENTS, fact("job-a", JobCompleted(run="run-a", result=claim("out")), 4))
    found = await traces(log, ["job-a"], [JOB_EVENTS, JOB_DELIVERIES])
    assert found == {
        "job-a": [
            "2026-03-01 12:30:05.250  jobs.events 0:0  JobCreated",
            "2026-03-01 12:30:05.250  jobs.events 0:2  JobStarted number=1 run=run-a worker=worker-1",
            "2026-03-01 12:30:05.250  jobs.events 0:3  JobCompleted run=run-a",
        ]
    }


async def test_records_that_cannot_be_decoded_are_shown_with_the_reason() -> None:
    log = MemoryLog(partitions=1)
    _, _, headers = encode(fact("job-a", created(), 1))
    unknown = [(name, b"piperoll.JobShredded.v1" if name == "ce_type" else value) for name, value in headers]
    await log.append_raw(JOB_EVENTS, b"job-a", b"garbage", [])
    await log.append_raw(JOB_EVENTS, b"job-a", b"{}", unknown)
    first, second = (await traces(log, ["job-a"], [JOB_EVENTS]))["job-a"]
    assert "undecodable: " in first
    assert "JobShredded" in second


async def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    log = MemoryLog(partitions=1)
    for second in range(2 * trace.MAX_LINES):
        await log.append(JOB_EVENTS, fact("job-a", created(), second))
    lines = (await traces(log, ["job-a"], [JOB_EVENTS]))["job-a"]
    assert len(lines) == trace.MAX_LINES + 1
    assert lines[trace.MAX_LINES // 2] == f"... {trace.MAX_LINES} records ..."
    assert "0:79" in lines[-1]


async def test_a_key_without_records_has_no_lines() -> None:
    assert await traces(MemoryLog(), ["job-a"], [JOB_EVENTS]) == {"job-a": []}
