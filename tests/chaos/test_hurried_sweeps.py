"""Sweeps of a running system whose log has days in a minute, while workers are killed: they delete garbage alone."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.clock import happens_within, utc_now
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.record import Record
from piperoll.log.stops import SkippedRecords
from piperoll.settings import Settings
from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.ids import draw_batch_id, draw_document_id, draw_folder_id, draw_job_id
from schemas.topics import Topic
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.sweep.evidence import SETTLED, Reason
from services.worker.cleanup.sweep.knowledge import ScannedKnowledge
from services.worker.cleanup.sweep.sweeper import StoreSweep
from services.worker.cleanup.upload_uses import UploadUses
from tests.chaos.roll.account import NOTICES, account
from tests.chaos.roll.clients import RollingClients
from tests.chaos.roll.contents import lost_contents
from tests.chaos.roll.erasures import Erasures
from tests.chaos.roll.fleet import Fleet, fleet
from tests.support.waiting import wait_until

SEED = 3
SETTLED_S = 15.0  # in which the log's time passes SETTLED: far longer than a request takes from its blobs to its fact
SPEED = SETTLED.total_seconds() / SETTLED_S
PAUSE_S = 1.0  # between two sweeps
INTERVAL_S = 5 * PAUSE_S * SPEED  # as the sweep knows it: a pause that is longer is an outage
UPLOAD_TTL_S = 10.0
KILL_PAUSE_S = 4.0
PLAIN = 10


class HurriedLog(KafkaOffsets):
    """The log with a broker whose clock runs SPEED times as fast since `began`, in milliseconds."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._began = utc_now().timestamp() * 1000

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        """See KafkaOffsets.scan."""
        async for records in super().scan(topic, begin, end):
            yield [replace(one, timestamp_ms=self._hurried(one.timestamp_ms)) for one in records]

    def _hurried(self, timestamp_ms: int) -> int:
        return round(self._began + (timestamp_ms - self._began) * SPEED)


class HurriedSweeps:
    """Sweeps as workers make them, one after another; `deleted` counts blobs by reason, `found` are all reasons."""

    def __init__(self, sweep: StoreSweep) -> None:
        self._sweep = sweep
        self.deleted: Counter[Reason] = Counter()
        self.found: set[Reason] = set()
        self.count = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until `stopping` is set."""
        while not await happens_within(stopping, PAUSE_S):
            plan = await self._sweep.plan(deep=self.count % 3 == 0)
            if plan is not None:
                assert plan.stopped is None, plan.stopped
                await self._sweep.note(plan)
                self.found |= {one.reason for one in plan.doomed}
                self.deleted += await self._sweep.carry_out(plan, asyncio.Event())
                self.count += 1


@asynccontextmanager
async def hurried(running: Fleet) -> AsyncIterator[tuple[HurriedSweeps, AsyncBlobs]]:
    """The sweeps of a system, and its store."""
    hasty = {"PIPEROLL_SWEEP_INTERVAL_S": str(INTERVAL_S), "PIPEROLL_UPLOAD_TTL_S": str(UPLOAD_TTL_S)}
    settings = Settings.from_environment({**running.system.stack.environment, **hasty})
    blobs, log, stopping = AsyncBlobs(Blobs(settings.blob_url)), HurriedLog(settings), asyncio.Event()
    await log.start()
    try:
        knowledge = ScannedKnowledge(log, range(settings.partitions), SkippedRecords(blobs))
        eraser = Eraser(blobs, has_ended, UploadUses(blobs, log, settings.partitions, lambda job_id: False))
        chances = random.Random(SEED)
        sweep = StoreSweep(settings, blobs, log, knowledge, eraser.erase, utc_now, chances, eraser.drop_specs)
        erasing = asyncio.create_task(eraser.run(stopping))
        try:
            yield HurriedSweeps(sweep), blobs
        finally:
            stopping.set()
            await erasing
    finally:
        await log.stop()
        blobs.close()


async def has_ended(job_id: str) -> None:
    """The children are those of workers, which await them for their own erasures."""


async def garbage(running: Fleet, blobs: AsyncBlobs) -> set[str]:
    """What requests leave that never reached the log, and an upload that no job uses."""
    made = {f"{draw_job_id()}/in/{'0' * 64}" for _ in range(5)} | {f"{draw_batch_id()}/specs/{'0' * 64}"}
    made |= {f"{documents.folder_of(draw_document_id())}/{'0' * 64}" for _ in range(3)}
    made |= {f"{documents.folder_details_of(draw_folder_id())}/{'0' * 64}"}
    for uri in made:
        await asyncio.to_thread(blobs.sync.put_named, uri, b"{}", "application/json")
    reply = await running.system.client.post("/api/files", files={"file": ("unused.txt", b"unused")})
    return made | {reply.json()["data"]["filename"].replace("upload://", f"{uploads.FOLDER}/")}


async def post_plainly(running: Fleet, count: int) -> list[str]:
    """Jobs without an Idempotency-Key, whose parameters are in segments: no output beside them keeps a sweep away."""
    webhook = {"url": running.system.receiver.url("/hook")}
    one = {"job_type": "noop", "parameters": {"webhook": webhook}}
    return [(await running.system.post("/api/jobs/", one))["job_id"] for _ in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that Postgres's account may traverse."""
    tmp_path.chmod(0o711)
    return tmp_path


async def test_sweeps_under_load_delete_what_nothing_needs_and_nothing_else(folder: Path) -> None:
    async with fleet(folder, {"worker": 2}) as running, hurried(running) as (sweeps, blobs):
        stack, receiver = running.system.stack, running.system.receiver
        urls = receiver.url("/hook"), running.notices.url(NOTICES), running.notices.url("/passing")
        clients = RollingClients(running.origins, stack.api_key, *urls, SEED)
        unneeded, stopping = await garbage(running, blobs), asyncio.Event()
        clients.seen.jobs += await post_plainly(running, PLAIN)
        erasures, chances = Erasures(running.system, clients.seen), random.Random(SEED)

        async def is_gone() -> bool:
            await stack.kill(chances.choice(["worker", "worker-1"]))
            await asyncio.sleep(KILL_PAUSE_S)
            return not any([await blobs.names(uri.rpartition("/")[0]) for uri in unneeded])

        async def erase() -> None:
            while not stopping.is_set():
                await erasures.group()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(clients.run())
            tasks.create_task(sweeps.run(stopping))
            tasks.create_task(erase())
            await wait_until(is_gone, 120, f"all of {sorted(unneeded)} to be swept")
            unneeded = await garbage(running, blobs)  # goes no earlier than what the first jobs left would go
            await wait_until(is_gone, 120, f"all of {sorted(unneeded)} to be swept")
            clients.stop()
            await running.system.wait_for_all(clients.seen.jobs)
            before = sweeps.count
            await wait_until(lambda: sweeps.count > before + 2, 60, "sweeps of what has ended")
            stopping.set()
        await erasures.group()  # without sweeps, which would delete its upload by its age
        await stack.kill("worker")
        await erasures.are_carried_out(blobs)
        ended = await running.system.wait_for_all(clients.seen.jobs)
        assert clients.seen.faults == []
        assert await account(running, clients.seen, ended) == []
        assert await lost_contents(running, blobs, clients.seen) == []
        assert sweeps.deleted.keys() >= {"orphaned", "unnamed", "upload"}, sweeps.deleted
        assert "expanded" in sweeps.found, "these are left to the eraser"
