"""From the SIGKILL of a worker until its jobs run again: restarted by its supervisor, or replaced by another worker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from bench.programs.calls import generate
from bench.programs.wire import Client, request
from bench.projected import SQL
from bench.report import Row, Table, p50_p99
from bench.rig import SLOTS, Rig, started

ROUNDS_RESTARTED, ROUNDS_TAKEN_OVER = 25, 5
JOB_S = 600.0  # longer than any round: the jobs are cancelled
TIMEOUT_S = 120.0
POLL_S = 0.05
FIRST, SECOND = "worker-0", "worker-1"
COLUMNS = ("What", "Jobs", "p50 s", "p99 s", "Longest s")


async def measure(data: Path) -> Table:
    """Kill a worker that runs jobs, several times: the only one, then one of two."""
    async with started(data) as rig:
        restarted = [one for _ in range(ROUNDS_RESTARTED) for one in await _kill(rig, FIRST, SLOTS, stays_away=False)]
    async with started(data, workers=2) as rig:
        jobs = 8 * SLOTS  # so that both have enough
        replaced = [one for _ in range(ROUNDS_TAKEN_OVER) for one in await _kill(rig, SECOND, jobs, stays_away=True)]
        session_s, grace_s = rig.settings.session_timeout_s, rig.settings.handover_grace_s
    note = (
        "From SIGKILL to the time of the next JobStarted, of each job that ran. A restarted worker gets its partitions "
        "back at once. Those of a worker that stays away are assigned to others, which have free slots, after "
        f"PIPEROLL_SESSION_TIMEOUT_S ({session_s:g} s); they let the facts of the old one arrive for "
        f"PIPEROLL_HANDOVER_GRACE_S ({grace_s:g} s). {ROUNDS_RESTARTED} and {ROUNDS_TAKEN_OVER} kills."
    )
    rows = [
        _row("the only worker, restarted by its supervisor", restarted),
        _row("one of two workers, which stays away", replaced),
    ]
    return Table("From the kill of a worker until its jobs run again", COLUMNS, rows, note)


def _row(what: str, seconds: list[float]) -> Row:
    p50, p99 = (milliseconds / 1000 for milliseconds in p50_p99(seconds))
    return what, f"{len(seconds)}", f"{p50:.1f}", f"{p99:.1f}", f"{max(seconds):.1f}"


async def _kill(rig: Rig, worker: str, jobs: int, *, stays_away: bool) -> list[float]:
    """Kill a worker whose slots are full; return the delay of each job that it ran, in seconds."""
    order = rig.order("noop", [{"sleep_s": JOB_S}] * jobs)
    ids = [one.job_id for one in (await generate(order)).posted]
    running: set[str] = set()

    async def full() -> bool:
        running.update(row["job_id"] for row in await _starts(rig, ids) if row["worker"] == worker)
        return len(running) == SLOTS

    await _wait(full)
    killed = time.time()
    await rig.stack.kill(worker)
    if stays_away:
        await rig.stack.stop_service(worker)  # its supervisor would restart it
        await _cancel(rig, [one for one in ids if one not in running])  # the other worker has slots for these jobs
    again: dict[str, float] = {}

    async def all_again() -> bool:
        for row in await _starts(rig, list(running)):
            if row["at"] > killed:
                again.setdefault(row["job_id"], row["at"] - killed)
        return len(again) == SLOTS

    await _wait(all_again)
    await _cancel(rig, list(running))
    if stays_away:
        await rig.stack.start_service(worker)
    return list(again.values())


async def _starts(rig: Rig, ids: list[str]) -> list[asyncpg.Record]:
    return await rig.database.fetch(SQL["starts"], ids)


async def _cancel(rig: Rig, ids: list[str]) -> None:
    """Cancel jobs, and wait until the slots are free."""
    client = Client(rig.stack.api_url)
    for job_id in ids:
        await client.ask(request(rig.stack.api_url, rig.stack.api_key, "POST", f"/api/jobs/{job_id}/cancel", b"{}"))
    client.close()

    async def ended() -> bool:
        (row,) = await rig.database.fetch(SQL["ended"], ids)
        return bool(row["ended"] == len(ids))

    await _wait(ended)


async def _wait(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not await reached():  # noqa: ASYNC110 - nothing announces a start
            await asyncio.sleep(POLL_S)
