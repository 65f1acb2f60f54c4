"""One rolling restart after another under load, and the verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.roll.clients import RollingClients, Seen
from tests.chaos.roll.fleet import Fleet, fleet
from tests.support.stacks.system import Json, is_final

PROCESSES = {"worker": 2}
ORDER = ("projector", "notifier", "worker", "worker-1", "api")
"""The order of the operating guide; the second API process follows."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RollVerdict:
    """What the clients saw, and a sentence for each broken promise. `again` is the number of jobs that ran again."""

    seen: Seen
    rounds: int
    again: int
    broken: list[str]


async def roll(folder: Path, seed: int, minutes: float, say: Say) -> RollVerdict:
    """Restart every process in turn, at least once and until the minutes have passed; then account for every job."""
    async with fleet(folder, PROCESSES) as running:
        stack, receiver = running.system.stack, running.system.receiver
        clients = RollingClients(running.origins, stack.api_key, receiver.url("/hook"), seed)
        began, rounds = time.monotonic(), 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(clients.run())
            while rounds == 0 or time.monotonic() < began + 60 * minutes:
                await running.restart_all(ORDER)
                rounds += 1
                say(f"{time.monotonic() - began:6.0f} s  {len(clients.seen.jobs):5d} jobs  round {rounds}")
            clients.stop()
        ended = await running.system.wait_for_all(clients.seen.jobs)
        say(f"{time.monotonic() - began:6.0f} s  all jobs ended")
        broken = [*clients.seen.faults, *running.cut_off(), *await _account(running, ended)]
        say(f"{time.monotonic() - began:6.0f} s  accounted for")
        return RollVerdict(clients.seen, rounds, sum(job["attempt"] > 1 for job in ended), broken)


async def _account(running: Fleet, ended: list[Json]) -> list[str]:
    """Wait for every final webhook; return what is wrong with ends and webhooks."""
    system, jobs = running.system, [str(job["job_id"]) for job in ended]
    broken = [] if len(set(jobs)) == len(jobs) else ["two requests with different keys were answered by one job"]
    for job in ended:
        if job["status"] != "completed":
            broken.append(f"{job['job_id']} is {job['status']}: {job.get('error')}")
    for job_id, hooks in (await system.wait_for_final_hooks(jobs)).items():
        if len({hook["webhook-id"] for hook in hooks if is_final(hook)}) != 1:
            broken.append(f"{job_id} has several final webhooks")
        first = next(index for index, hook in enumerate(hooks) if is_final(hook))
        if not all(is_final(hook) for hook in hooks[first:]):
            broken.append(f"progress of {job_id} arrived after its end")
    report = await system.verify()
    return broken + [str(violation) for violation in report.violations]
