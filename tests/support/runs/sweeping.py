"""Sweeps over a real folder and a log in memory, in virtual time, with clocks that can be set."""

import asyncio
import os
import random
import shutil
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.log.record import Position
from piperoll.log.stops import SkippedRecords
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from piperoll.store.segments import SegmentWriter
from schemas.envelope import Fact
from schemas.events import Event
from schemas.ids import event_id
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep.evidence import SETTLED, SIGHTINGS
from services.worker.cleanup.sweep.knowledge import ScannedKnowledge
from services.worker.cleanup.sweep.plan import SweepPlan
from services.worker.cleanup.sweep.sweeper import StoreSweep, Sweeper
from tests.support.histories.jobs import completed, created
from tests.support.histories.lives import started
from tests.support.memory_log import MemoryLog
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

CONTENT = ("doc-", "folder-")
HOUR_S = 3600.0
INTERVAL_S = 6 * HOUR_S
ENOUGH_S = SETTLED.total_seconds() + (SIGHTINGS + 1) * INTERVAL_S
"""After so long an orphan was seen often enough and for long enough."""


class Sweeping:
    """A store, its log and what sweeps it. Clocks are off by what is set here: of the broker, the worker, the store.

    Without an `eraser` what it would delete goes at once.
    """

    def __init__(self, loop: VirtualLoop, root: Path, partitions: int = 1, seed: int = 1, **settings: object) -> None:
        self.loop = loop
        self.root = root
        self.broker_off = self.local_off = self.store_off = timedelta()
        self.log = MemoryLog(partitions, lambda: loop.clock() + self.broker_off)
        self.blobs = AsyncBlobs(Blobs(root.as_uri()))
        self.settings = Settings(blob_url=root.as_uri(), partitions=partitions, **settings)  # type: ignore[arg-type]
        self._segment = SegmentWriter(root)
        self.erased: dict[str, Erasure] = {}
        self.eraser: Eraser | None = None
        self.chances = random.Random(seed)
        self.restart()

    def restart(self, partitions: Collection[int] | None = None) -> None:
        """Another process takes over all partitions, or these; it knows nothing but the log and the store."""
        read = partitions or range(self.settings.partitions)
        self.knowledge = ScannedKnowledge(self.log, read, SkippedRecords(self.blobs))
        self.sweep = StoreSweep(
            self.settings,
            self.blobs,
            self.log,
            self.knowledge,
            self._erase,
            lambda: self.loop.clock() + self.local_off,
            self.chances,
            self._drop_specs,
        )
        self.sweeper = Sweeper(self.settings, self.sweep, self.chances)

    def _erase(self, subject: str, backlog: Backlog, inputs: Sequence[str] = ()) -> None:
        self.erased[subject] = backlog.erased[subject]
        if self.eraser is not None:
            self.eraser.erase(subject, backlog, inputs)
            return
        self.blobs.sync.delete_folder(subject)
        self.blobs.sync.delete(inputs)

    def _drop_specs(self, batch_id: str, owner: str) -> None:
        if self.eraser is not None:
            self.eraser.drop_specs(batch_id, owner)
        else:
            self.blobs.sync.delete_folder(f"{batch_id}/specs")

    async def append(self, subject: str, data: Event) -> Position:
        """A fact reaches the log now."""
        now = self.loop.clock()
        one = Fact(
            id=event_id(subject, f"{type(data).__name__}{now}"),
            subject=subject,
            owner="acme",
            time=now,
            source="api",
            data=data,
        )
        return await self.log.append(DOCUMENT_EVENTS if subject.startswith(CONTENT) else JOB_EVENTS, one)

    def put(self, *uris: str) -> None:
        """Blobs are written now."""
        for uri in uris:
            self.write(uri, b"{}")

    def write(self, uri: str, content: bytes) -> None:
        """A blob with this content is written now."""
        self.blobs.sync.put_named(uri, content, "application/json")
        self.set_time(uri, self.loop.clock() + self.store_off)

    def set_time(self, uri: str, at: datetime) -> None:
        """The store's time of a blob."""
        os.utime(self.root / uri, (at.timestamp(), at.timestamp()))

    async def finished(self, job_id: str) -> None:
        """A job that was given parameters, ran and has a result."""
        self.put(f"{job_id}/in/p", f"{job_id}/run/result.json")
        run = started(1).run
        for data in (created(), started(1), completed(run)):
            await self.append(job_id, data)

    def small(self, job_id: str, content: bytes = b'{"parameters":{}}') -> str:
        """Parameters in a segment, whose name has the real time: a test sets its clocks by it."""
        (written,) = self._segment.append([(job_id, content)])
        return written.uri

    def names(self, folder: str = "") -> set[str]:
        """The blobs below a folder, without the notes of sweeps."""
        found = [str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()]
        return {uri for uri in found if uri.startswith(folder) and not uri.startswith("sweeps/")}

    async def plan(self, deep: bool = False) -> SweepPlan:
        """What a sweep would do now."""
        plan = await self.sweep.plan(deep)
        assert plan is not None
        return plan

    async def once(self, deep: bool = False) -> SweepPlan:
        """One sweep, unless its brake is on."""
        plan = await self.plan(deep)
        await self.sweep.note(plan)
        if plan.stopped is None:
            await self.sweep.carry_out(plan, asyncio.Event())
        return plan

    async def go_on(self, seconds: float = ENOUGH_S, deep: bool = False) -> SweepPlan:
        """Sweeps at the usual interval for a while; returns the last one."""
        plan = await self.once(deep)
        for _ in range(int(seconds // INTERVAL_S)):
            await asyncio.sleep(INTERVAL_S)
            plan = await self.once(deep)
        return plan

    def close(self) -> None:
        """Closes the store."""
        self._segment.close()
        self.blobs.close()

    def restore(self, copy: Path) -> None:
        """The store becomes an older copy of itself."""
        shutil.rmtree(self.root)
        shutil.copytree(copy, self.root)


def sweeping(
    tmp_path: Path,
    story: Callable[[Sweeping], Awaitable[None]],
    partitions: int = 1,
    seed: int = 1,
    **settings: object,
) -> Sweeping:
    """Tells a story in virtual time."""
    loop = VirtualLoop()
    root = tmp_path / "blobs"
    one = Sweeping(loop, root, partitions, seed, **settings)
    try:
        run_virtually(_whole(story, one), loop)
    finally:
        one.close()
    return one


async def _whole(story: Callable[[Sweeping], Awaitable[None]], one: Sweeping) -> None:
    await story(one)
