"""`piperoll dead-letters` against a running system, and what doctor and verify make of such records."""

import json
import re
from pathlib import Path
from uuid import uuid4

import httpx

from piperoll.log.producer import KafkaAppender
from piperoll.log.record import partition_of
from piperoll.store.blobs import Blobs
from schemas.envelope import Headers, encode
from schemas.events import JobCancelled, JobCreated
from schemas.topics import JOB_EVENTS
from tests.support.clients.commands import piperoll
from tests.support.histories.jobs import fact
from tests.support.poison.misplaced import append_misplaced
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


async def listed(folder: Path, name: str) -> bool:
    return name in (await piperoll("dead-letters", "list", folder=folder)).out


async def append(system: System, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> str:
    appender = KafkaAppender(system.settings, "a foreign writer")
    await appender.start()
    try:
        place = await appender.append_raw(JOB_EVENTS, key.encode(), value, headers)
    finally:
        await appender.stop()
    return f"jobs/{place}"


def job(system: System, job_id: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The value and headers of a JobCreated as the API writes it."""
    content = b'{"job_type": "noop", "parameters": {}}'
    parameters = Blobs(system.settings.blob_url).put(f"{job_id}/in", content)
    _, value, headers = encode(
        fact(job_id, JobCreated(job_type="noop", parameters=parameters, body_sha256="0" * 64), owner="local")
    )
    return value, headers


async def test_a_foreign_record_is_listed_shown_and_left_out_and_what_followed_it_is_put_back(
    system: System, folder: Path
) -> None:
    key = f"job-{uuid4()}"
    letter = await append(system, key, b"\x1b[31mno [bold]event", [("x", b"[red]")])
    followed = await append(system, key, *job(system, key))
    await wait_until(lambda: listed(folder, followed), 60, "both records to be parked")

    examined = await piperoll("doctor", folder=folder)
    shown = await piperoll("dead-letters", "show", letter, folder=folder)
    refused = await piperoll("dead-letters", "redrive", letter, folder=folder)
    skipped = await piperoll("dead-letters", "skip", letter, folder=folder)
    again = await piperoll("dead-letters", "skip", letter, folder=folder)

    assert re.search(r"warn +dead letters", examined.out)
    assert "the header ce_id is missing" in shown.out
    assert "\\u001b[31mno [bold]event" in shown.out
    assert (refused.code, "still cannot be used" in refused.err) == (1, True), refused
    assert (skipped.code, "1 record;" in skipped.out) == (0, True), skipped
    assert (again.code, "no record" in again.err) == (1, True), again
    assert not await listed(folder, letter)
    await system.wait_for_end(key)
    assert (await piperoll("verify", folder=folder)).code == 0


async def test_a_partition_that_stopped_is_shown_and_goes_on_when_the_event_is_skipped(
    system: System, folder: Path
) -> None:
    key = f"job-{uuid4()}"
    value, headers = job(system, key)
    later = [(name, b"piperoll.JobTeleported.v1" if name == "ce_type" else text) for name, text in headers]
    letter = await append(system, key, value, later)
    behind = next(name for name in (f"job-{uuid4()}" for _ in range(10_000)) if same_partition(system, name, key))
    await append(system, behind, *job(system, behind))
    await wait_until(lambda: listed(folder, letter), 60, "the partition to stop")

    await wait_until(lambda: everywhere(folder, f"stopped at {letter.removeprefix('jobs/')}"), 30, "all to name it")
    examined = await piperoll("doctor", folder=folder)
    elsewhere = await system.create()
    refused = await piperoll("dead-letters", "redrive", letter, folder=folder)
    skipped = await piperoll("dead-letters", "skip", letter, folder=folder)

    assert (examined.code, f"dead-letters skip {letter}" in examined.out) == (1, True), examined
    assert (refused.code, "deploy the release" in refused.err) == (1, True), refused
    assert skipped.code == 0, skipped
    await system.wait_for_end(behind)
    await system.wait_for_end(elsewhere)
    await wait_until(lambda: all_ready(folder), 30, "all services to be ready again")
    await wait_until(lambda: parked(folder, letter), 60, "the event to be parked")
    assert (await piperoll("verify", folder=folder)).code == 0


async def test_a_record_in_the_partition_of_another_key_is_put_where_it_belongs(system: System, folder: Path) -> None:
    running = await system.create(sleep_s=5.0)
    cancelled = await misplaced(system, *encode(fact(running, JobCancelled(by="local"), owner="local")))
    key = f"job-{uuid4()}"
    letter = await misplaced(system, key.encode(), *job(system, key))
    await wait_until(lambda: listed(folder, letter), 60, "the record to be parked")

    assert (await system.wait_for_end(running))["status"] == "completed"
    redriven = await piperoll("dead-letters", "redrive", letter, folder=folder)
    skipped = await piperoll("dead-letters", "skip", cancelled, folder=folder)

    assert (redriven.code, "put back" in redriven.out) == (0, True), redriven
    assert (skipped.code, "left out" in skipped.out) == (0, True), skipped
    await system.wait_for_end(key)
    out = (await piperoll("dead-letters", "list", folder=folder)).out
    assert letter not in out
    assert cancelled not in out
    assert (await piperoll("verify", folder=folder)).code == 0


async def misplaced(system: System, key: bytes | None, value: bytes | None, headers: Headers) -> str:
    return f"jobs/{await append_misplaced(system.settings, key, value, headers)}"


async def health(folder: Path, path: str) -> list[tuple[int, str]]:
    """The answers of the worker, the projector and the notifier."""
    ports = json.loads((folder / "ports.json").read_text())
    async with httpx.AsyncClient() as client:
        readers = [port for name, port in ports.items() if name.endswith("-health") and not name.startswith("api-")]
        urls = [f"http://127.0.0.1:{port}{path}" for port in readers]
        replies = [await client.get(url) for url in urls]
    assert len(replies) >= 3
    return [(reply.status_code, reply.text) for reply in replies]


async def everywhere(folder: Path, stop: str) -> bool:
    """Whether readiness and metrics of each service name a stop."""
    ready, metrics = await health(folder, "/health/ready"), await health(folder, "/metrics")
    counted = [re.search(r"^piperoll_stopped_partitions{.*} 1.0$", text, re.MULTILINE) for _, text in metrics]
    return all(code == 503 and stop in text for code, text in ready) and all(counted)


async def all_ready(folder: Path) -> bool:
    return all(code == 200 for code, _ in await health(folder, "/health/ready"))


async def parked(folder: Path, letter: str) -> bool:
    out = (await piperoll("dead-letters", "list", folder=folder)).out
    return re.search(rf"{letter} +parked", out) is not None


def same_partition(system: System, one: str, other: str) -> bool:
    return partition_of(one, system.settings.partitions) == partition_of(other, system.settings.partitions)
