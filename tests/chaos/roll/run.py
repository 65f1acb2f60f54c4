"""One rolling restart after another under load, and the verdict.

All processes are of this release: two releases beside one another are not covered. What a newer one reads of an older
one is held by tests/golden and tests/integration/upgrades.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.roll.account import NOTICES, account
from tests.chaos.roll.clients import RollingClients
from tests.chaos.roll.fleet import fleet
from tests.chaos.roll.requests import Seen

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
        urls = receiver.url("/hook"), running.notices.url(NOTICES), running.notices.url("/passing")
        clients = RollingClients(running.origins, stack.api_key, *urls, seed)
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
        broken = [*clients.seen.faults, *running.cut_off(), *await account(running, clients.seen, ended)]
        say(f"{time.monotonic() - began:6.0f} s  accounted for")
        return RollVerdict(clients.seen, rounds, sum(job["attempt"] > 1 for job in ended), broken)
