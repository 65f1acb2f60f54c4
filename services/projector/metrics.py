"""The projector's metrics: lag, rate, and duration of transactions."""

import time
from collections.abc import Callable

import structlog
from prometheus_client import Counter, Gauge, Histogram

log = structlog.get_logger()

LAG = Gauge("piperoll_projector_lag_records", "Records not projected yet", ["topic", "partition"])
EVENTS = Counter("piperoll_projector_events_total", "Records projected", ["topic"])
PARKED = Counter("piperoll_projector_parked_total", "Records sent to the dead letters", ["topic"])
UNREADABLE = Counter(
    "piperoll_projector_unreadable_total",
    "Contents left out of rows, because their blobs cannot be read",
    ["topic"],
)
SECONDS = Histogram(
    "piperoll_projector_transaction_seconds",
    "From a decoded poll to its commit",
    ["topic"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30),
)

CAUGHT_UP_RECORDS = 1000  # one poll: less is normal under load
STILL_S = 30.0  # a projector further behind, and not moving for so long, is not ready


def projected(alias: str, records: int, seconds: float) -> None:
    """Count one transaction."""
    EVENTS.labels(alias).inc(records)
    SECONDS.labels(alias).observe(seconds)


def unreadable(alias: str, what: str, uri: str, error: Exception) -> None:
    """Count and log content that its rows are without."""
    UNREADABLE.labels(alias).inc()
    log.error("content_unreadable", topic=alias, what=what, uri=uri, error=str(error)[:500])


class Lag:
    """The lag of one topic's reader, and the time of its last movement."""

    def __init__(self, alias: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._alias = alias
        self._clock = clock
        self._behind: dict[int, int] = {}
        self._moved = clock()

    def moved(self, partition: int, behind: int) -> None:
        """Note the number of records that follow a poll of the partition."""
        self._behind[partition] = behind
        self._moved = self._clock()
        LAG.labels(self._alias, str(partition)).set(behind)

    def forget(self, partition: int) -> None:
        """Forget a partition that is now assigned to another process."""
        self._behind.pop(partition, None)
        LAG.labels(self._alias, str(partition)).set(0)

    def problem(self) -> str | None:
        """A sentence while the reader is far behind and does not advance; None otherwise, also while it catches up."""
        behind = sum(self._behind.values())
        if behind <= CAUGHT_UP_RECORDS or self._clock() - self._moved <= STILL_S:
            return None
        return f"{behind} records of {self._alias} are not projected, and nothing moved for {STILL_S:g} s"
