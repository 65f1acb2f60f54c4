"""Runs a storm and prints it, a line for each fault, then the verdict."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from piperoll.embedded.stack import Stack, StackOptions
from tests.chaos.storm.faults import FAULTS, HARMLESS, Fault, Scene
from tests.chaos.storm.load import Book, Load
from tests.chaos.storm.verdict import Verdict, all_readable, judge
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System

CLIENTS = 6
PAUSE_S = (1.0, 6.0)  # between two faults: what one broke may not have recovered when the next one comes
SETTINGS = {
    "PIPEROLL_ENABLE_NOOP": "true",
    "PIPEROLL_SLOTS": "4",
    "PIPEROLL_RETRY_BASE_S": "0.5",
    "PIPEROLL_HANDOVER_GRACE_S": "5",
    "PIPEROLL_CHECKPOINT_INTERVAL_S": "3",
    "PIPEROLL_RATE_LIMIT": "100000",
    "PIPEROLL_JOB_MEMORY_BYTES": str(512 * 1024 * 1024),
}
Say = Callable[[str], None]


async def storm(folder: Path, seed: int, minutes: float, say: Say) -> Verdict:
    """Run faults under load for some minutes, then calm, and judge. The same seed draws the same faults."""
    chances = random.Random(seed)
    faults = list(schedule(chances))
    async with _system(folder) as system:
        say(f"seed {seed}: {minutes:g} minutes with {CLIENTS} clients, two processes of each service but the API")
        book, stopping = Book(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Load(system, book, random.Random(seed + 1)).run(CLIENTS, stopping))
            await _rage(Scene(system, chances), faults, minutes, book, say)
            stopping.set()
        say(f"calm: {len(book.jobs)} jobs acknowledged; answers {dict(book.answers.most_common(6))}")
        await all_readable(system)
        return await judge(system, book)


def schedule(chances: random.Random, length: int = 1000) -> list[Fault]:
    """The faults in their order."""
    return chances.choices(list(FAULTS), list(FAULTS.values()), k=length)


async def _rage(scene: Scene, faults: list[Fault], minutes: float, book: Book, say: Say) -> None:
    began = time.monotonic()
    for fault in faults:
        await asyncio.sleep(scene.seconds(*PAUSE_S))
        if time.monotonic() - began > 60 * minutes:
            return
        try:
            done = await fault(scene)
        except HARMLESS as error:
            done = f"{fault.__name__} found nothing to break: {error}"
        say(f"{time.monotonic() - began:6.0f} s  {len(book.jobs):5d} jobs  {done}")


def report(seed: int, verdict: Verdict, say: Say) -> None:
    """Print the verdict."""
    say(f"acknowledged {verdict.acknowledged}, ended {verdict.ended}, erased {verdict.erased}")
    say(f"final webhooks {verdict.hooks}, repeated under the same id {verdict.repeated_hooks}")
    say(f"records {verdict.records}, parked keys {verdict.parked}, starts after the end {verdict.late_starts}")
    for sentence in verdict.broken:
        say(f"BROKEN  {sentence}")
    for subject, lines in verdict.histories.items():
        say(f"the history of {subject}:")
        for line in lines:
            say(f"    {line}")
    say(f"seed {seed}: {'holds' if verdict.holds else f'{len(verdict.broken)} promises broken'}")


@asynccontextmanager
async def _system(folder: Path) -> AsyncIterator[System]:
    options = StackOptions(
        extra_env=SETTINGS, processes=dict.fromkeys(("worker", "projector", "notifier"), 2), partitions=6
    )
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    async with Receiver() as receiver, Stack(folder / "data", options) as stack:
        await stack.wait_ready(120)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as client:
            yield System(stack, client, receiver, files)
