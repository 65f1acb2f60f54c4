"""The partitions that a consumer put back, because another process holds their checkpoints.

Such a partition is paused and read again after a moment, so that the others go on meanwhile.
"""

import time
from dataclasses import dataclass

import structlog

from piperoll.log.contract import PartitionBusyError

log = structlog.get_logger()

PAUSE_S = 0.5
PATIENCE_S = 2.0  # two processes meet at a checkpoint for a moment at each rebalance; that is not a problem


@dataclass(slots=True)
class _Held:
    since: float
    again_at: float
    why: str


class PutBack:
    """The held partitions of one consumer."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._held: dict[int, _Held] = {}

    @property
    def partitions(self) -> set[int]:
        """The held partitions."""
        return set(self._held)

    def problem(self) -> str | None:
        """A sentence while a partition has been held for longer than a moment."""
        now = time.monotonic()
        late = {part: one for part, one in sorted(self._held.items()) if now - one.since > PATIENCE_S}
        if not late:
            return None
        return f"{self._topic}: partitions {list(late)} are locked by {next(iter(late.values())).why}"

    def add(self, partition: int, error: PartitionBusyError) -> None:
        """Note a partition that was put back."""
        now = time.monotonic()
        since = self._held[partition].since if partition in self._held else now
        if partition not in self._held:
            log.warning("partition_locked", topic=self._topic, partition=partition, by=str(error))
        self._held[partition] = _Held(since, now + PAUSE_S, str(error))

    def due(self) -> list[int]:
        """The partitions to read again now."""
        now = time.monotonic()
        return [part for part, one in self._held.items() if now >= one.again_at]

    def clear(self, partition: int) -> None:
        """Note that a partition was read, or given up."""
        if (held := self._held.pop(partition, None)) is not None:
            seconds = round(time.monotonic() - held.since, 1)
            log.info("partition_free", topic=self._topic, partition=partition, seconds=seconds)
