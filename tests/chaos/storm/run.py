"""Runs a storm and prints it, a line for each fault, then the verdict."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.chaos.storm.backup import Backup
from tests.chaos.storm.faults.every import FAULTS
from tests.chaos.storm.faults.scene import HARMLESS, Fault, LeftOutError, PromiseBrokenError, Scene
from tests.chaos.storm.load import Book, Load
from tests.chaos.storm.site import site
from tests.chaos.storm.verdict import Verdict, all_readable, judge

CLIENTS = 6
PAUSE_S = (1.0, 6.0)  # between two faults: what one broke may not have recovered when the next one comes
Say = Callable[[str], None]


async def storm(folder: Path, seed: int, minutes: float, say: Say, only: Sequence[str] = ()) -> Verdict:
    """Run faults under load for some minutes, then calm, and judge. The same seed draws the same faults.

    `only` names the faults to draw from.
    """
    chances = random.Random(seed)
    faults = schedule(chances, only)
    async with site(folder) as place:
        say(f"seed {seed}: {minutes:g} minutes with {CLIENTS} clients, two processes of each service")
        book, stopping = Book(), asyncio.Event()
        backup = Backup(place.system.stack, folder / "backup")
        await backup.take()
        scene = Scene(place.system, backup, place.disk, place.proxies, chances)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Load(place, book, random.Random(seed + 1)).run(CLIENTS, stopping))
            await _rage(scene, faults, minutes, book, say)
            stopping.set()
        say(f"calm: {len(book.jobs)} jobs acknowledged; answers {dict(book.answers.most_common(6))}")
        await all_readable(place)
        verdict = await judge(place, book, scene.restores)
        verdict.left_out = scene.left_out
        return verdict


def schedule(chances: random.Random, only: Sequence[str] = (), length: int = 1000) -> list[Fault]:
    """The faults in their order."""
    drawn = {fault: weight for fault, weight in FAULTS.items() if not only or fault.__name__ in only}
    return chances.choices(list(drawn), list(drawn.values()), k=length)


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
        except LeftOutError as error:
            scene.left_out[fault.__name__] = done = f"{fault.__name__} was left out: {error}"
        except PromiseBrokenError as error:
            done = f"{fault.__name__}: {error}"
            book.disputes.append(done)
        say(f"{time.monotonic() - began:6.0f} s  {len(book.jobs):5d} jobs  {done}")


def report(seed: int, verdict: Verdict, say: Say) -> None:
    """Print the verdict."""
    say(f"acknowledged {verdict.acknowledged}, ended {verdict.ended}, erased {verdict.erased}")
    say(f"lost {verdict.lost}, doubled {verdict.doubled}, leftovers of erased content {verdict.leftovers}")
    say(f"final webhooks {verdict.hooks}, repeated under the same id {verdict.repeated_hooks}")
    say(f"records {verdict.records}, parked keys {verdict.parked}, starts after the end {verdict.late_starts}")
    say("the account took " + ", ".join(f"{took:.1f} s for {part}" for part, took in verdict.seconds.items()))
    for sentence in verdict.left_out.values():
        say(sentence)
    for sentence in verdict.broken:
        say(f"BROKEN  {sentence}")
    for subject, lines in verdict.histories.items():
        say(f"the history of {subject}:")
        for line in lines:
            say(f"    {line}")
    say(f"seed {seed}: {'holds' if verdict.holds else f'{len(verdict.broken)} promises broken'}")
