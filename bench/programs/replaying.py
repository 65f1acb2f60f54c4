"""A worker's partition reader alone, over ended jobs that are made while it reads them: its time and its memory.

Kafka is not part of it. `python -m bench.programs.replaying FOLDER JOBS DAYS` reads the whole log and writes the
checkpoints; with JOBS 0 it starts from these. Prints one JSON object.
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from piperoll.background import Background
from piperoll.clock import utc_now
from piperoll.log.backlog_checkpoint import Checkpoints
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.identity import LogIdentity
from piperoll.log.producer import KafkaAppender
from piperoll.log.record import Record, partition_of
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.envelope import Fact, encode
from schemas.events import JobCancelled
from schemas.topics import JOB_EVENTS, Topic
from services.worker.children.pool import ChildPool
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.upload_uses import UploadUses
from services.worker.manager.batch_expander import Expander
from services.worker.manager.claim_gate import ClaimGate
from services.worker.manager.log_reader import PartitionReader
from services.worker.manager.runner import Runner

POLL = 1000
SAVE_EVERY_S = 30.0
NO_END = 2**40


@dataclass
class MadeLog:
    """A log in which each job has one fact, its cancellation, spread evenly over `span` until now."""

    partitions: int
    jobs: int
    span: timedelta
    ends: dict[int, int]

    async def cluster_id(self) -> str:
        return "made"

    async def begin_offsets(self, topic: Topic) -> dict[int, int]:
        return dict.fromkeys(range(self.partitions), 0)

    async def end_offsets(self, topic: Topic) -> dict[int, int]:
        return self.ends

    async def identity(self) -> LogIdentity:
        raise NotImplementedError

    async def offsets_at(self, topic: Topic, at: datetime) -> dict[int, int]:
        raise NotImplementedError

    async def read_range(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int], limit: int | None = None
    ) -> list[Record]:
        """Any record will do: all have one id."""
        return [next(self.records(part, offset)) for part, offset in begin.items()]

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        yield await self.read_range(topic, begin, end)

    def records(self, only: int | None = None, first: int | None = None) -> Iterator[Record]:
        """The records in the order of time; `only` and `first` set another partition and offset."""
        fact = Fact("one", "-", "bench", utc_now(), "bench", JobCancelled(by="bench"))
        _, value, headers = encode(fact)
        rest = [header for header in headers if header[0] != "ce_subject"]
        now, offsets = datetime.now(UTC), Counter[int]()
        for number in range(max(1, self.jobs)):
            text = f"{number:032x}"
            name = f"job-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
            part = partition_of(name, self.partitions) if only is None else only
            offset = offsets[part] if first is None else first
            offsets[part] += 1
            at = now - self.span * (1 - number / max(1, self.jobs))
            stamp, key = int(at.timestamp() * 1000), name.encode()
            yield Record(JOB_EVENTS.name, part, offset, stamp, key, value, [*rest, ("ce_subject", key)])


async def main(folder: Path, jobs: int, days: float) -> None:
    """Read the log, or start from the checkpoints."""
    settings = Settings(partitions=24)
    kept = folder / "ends.json"
    ends = dict.fromkeys(range(settings.partitions), NO_END)
    if not jobs:
        ends = {int(part): end for part, end in json.loads(kept.read_text()).items()}
    log = MadeLog(settings.partitions, jobs, timedelta(days=days), ends)
    blobs = AsyncBlobs(Blobs((folder / "blobs").as_uri()))
    reader = reader_of(settings, blobs, log)
    began, cpu = time.monotonic(), time.process_time()
    waiting = set(range(settings.partitions))
    while waiting:
        waiting -= (await reader.assigned(waiting)).keys()
    if jobs:
        await replay(reader, log)
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    await reader.save_checkpoints()
    held = sum(len(state.backlog.ended) for state in reader._partitions.values())
    if jobs:
        kept.write_text(json.dumps({part: state.next_offset for part, state in reader._partitions.items()}))
    else:
        assert reader.problem() is None
    size = sum(file.stat().st_size for file in (folder / "blobs").rglob("*") if file.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "held": held, "checkpoints": size}))
    blobs.close()


async def replay(reader: PartitionReader, log: MadeLog) -> None:
    """Hand the records over in polls, and write checkpoints at the worker's interval."""
    polls: dict[int, list[Record]] = {part: [] for part in range(log.partitions)}
    saved = time.monotonic()
    for record in log.records():
        poll = polls[record.partition]
        poll.append(record)
        if len(poll) == POLL:
            await reader.handle(record.partition, poll)
            poll.clear()
            if time.monotonic() - saved > SAVE_EVERY_S:
                await reader.save_checkpoints()
                saved = time.monotonic()
    for part, poll in polls.items():
        if poll:
            await reader.handle(part, poll)


def reader_of(settings: Settings, blobs: AsyncBlobs, log: MadeLog) -> PartitionReader:
    """The reader of a worker that runs nothing: every job has ended."""
    appender = KafkaAppender(settings, "bench")
    pool = ChildPool(settings, 1)
    runner = Runner(settings, appender, blobs, pool, ClaimGate({}), utc_now, random.Random(1))
    expander = Expander(settings, appender, blobs, log, Background(asyncio.Event()), utc_now)
    eraser = Eraser(blobs, runner.await_exit, UploadUses(blobs, log, settings.partitions, lambda job_id: False))
    checkpoints = Checkpoints(blobs, "made", "bench")
    return PartitionReader(runner, expander, checkpoints, log, DeadLetters(appender), eraser, utc_now)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
