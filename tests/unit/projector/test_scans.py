"""A scan of the log that ends early is closed at once, with its connection to the brokers."""

from collections.abc import AsyncGenerator
from typing import cast

import pytest

from piperoll.log.kafka import KafkaOffsets
from piperoll.log.record import Record
from piperoll.settings import Settings
from schemas.envelope import UnknownEventError
from schemas.events import JobStarted
from schemas.topics import JOB_EVENTS, Topic
from services.projector.rebuild import Replay
from services.projector.verify.run import TOPICS, PartitionHistory
from tests.support.histories.jobs import fact
from tests.support.memory_log import MemoryLog


class WatchedLog(MemoryLog):
    """Counts the scans that are open."""

    open = 0

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        self.open += 1
        try:
            async for records in super().scan(topic, begin, end):
                yield records
        finally:
            self.open -= 1


@pytest.fixture
async def log() -> WatchedLog:
    log = WatchedLog(partitions=1)
    for number in range(2):
        await log.append(JOB_EVENTS, fact(f"job-{number}", JobStarted(number=1, run="run", worker="worker")))
    return log


async def test_a_rebuild_that_meets_an_unknown_event_leaves_no_scan_open(
    log: WatchedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.from_environment({"PIPEROLL_BLOB_URL": "memory:///"})
    replay = Replay(settings, cast(KafkaOffsets, log), lambda done, total: None)
    replay._positions = [{0: 0} for _ in replay.writers]

    async def stopped(*_: object) -> int:
        return 0

    monkeypatch.setattr(replay._stops, "handle", stopped)
    with pytest.raises(UnknownEventError):
        await replay.catch_up()
    assert log.open == 0
    await replay.close()


async def test_a_verification_that_fails_leaves_no_scan_open(log: WatchedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    history = PartitionHistory(cast(KafkaOffsets, log), 0, 1, {topic.name: 0 for topic in TOPICS}, ())
    monkeypatch.setattr(history, "_observe", _fails)
    with pytest.raises(ZeroDivisionError):
        await history.fold_to(JOB_EVENTS, 2)
    assert log.open == 0


def _fails(*_: object) -> None:
    raise ZeroDivisionError
