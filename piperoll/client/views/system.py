"""The state of the installation, for the scope `admin`. What is None could not be read: `unknown` has the reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import Field

from piperoll.client.views.base import View


class ProcessView(View):
    """A process of a service; a worker's has `slots`, of which `running` are taken."""

    instance: str
    partitions: int | None = None
    slots: int | None = None
    running: int | None = None


class ReaderView(View):
    """What a service has not read of a topic, in records."""

    group: str
    topic: str
    lag: int | None = None


class ServiceView(View):
    """A service: its processes, and what it has not read of the log, in records."""

    service: str
    processes: Sequence[ProcessView] | None = None
    lag: int | None = None
    readers: Sequence[ReaderView] = ()


class OpenJobsView(View):
    """The open jobs of an owner and type."""

    owner: str
    job_type: str
    pending: int
    processing: int
    oldest_at: datetime | None = None


class OldestJobView(View):
    """The oldest job that waits for nothing but a slot."""

    job_id: str
    owner: str
    job_type: str
    created_at: datetime


class QueueView(View):
    """The open jobs; `groups` are those of an owner and type, `left_out` is the number of further ones."""

    pending: int
    processing: int
    oldest: OldestJobView | None = None
    groups: Sequence[OpenJobsView] = ()
    left_out: int = 0


class ReceiverView(View):
    """A receiver at which webhooks wait after failures; `reason` and `status` are of the last one of `job_id`."""

    owner: str
    origin: str | None = None
    kind: str
    waiting: int
    attempts: int
    next_attempt_at: datetime
    job_id: str
    reason: str | None = None
    status: int | None = None


class DeadLetterView(View):
    """A parked record, or one at which a partition is stopped."""

    id: str
    topic: str
    partition: int
    offset: int
    key: str = ""
    type: str | None = None
    reason: str = ""
    at: str = ""
    state: str
    by: Sequence[str] = ()


class PlaceView(View):
    """How many records of a partition wait."""

    topic: str
    partition: int
    count: int


class DeadLettersView(View):
    """The records that wait for a decision. `complete`: false if there are older ones that are not counted."""

    count: int
    stopped: int = 0
    places: Sequence[PlaceView] = ()
    newest: Sequence[DeadLetterView] = ()
    complete: bool = True


class PointView(View):
    """The jobs that ended in a span of time from `at` on, and within how many seconds half and 95 % of them did."""

    at: datetime
    completed: int
    failed: int
    cancelled: int
    p50_s: float | None = None
    p95_s: float | None = None


class PlotView(View):
    """Points, one for each span of so many `seconds`."""

    seconds: int
    points: Sequence[PointView] = ()


class VerdictView(View):
    """The last `piperoll verify`: `holds` or `violated`, with the first sentences about violations."""

    verdict: str
    ended_at: datetime
    seconds: float
    records: int = 0
    jobs: int = 0
    documents: int = 0
    violations: int = 0
    sentences: Sequence[str] = ()


class SystemView(View):
    """The state of the installation at a time. `verify` is also None before the first verification."""

    at: datetime
    services: Sequence[ServiceView] | None = None
    queue: QueueView | None = None
    receivers: Sequence[ReceiverView] | None = None
    dead_letters: DeadLettersView | None = None
    plots: Mapping[str, PlotView] | None = None
    verify: VerdictView | None = None
    unknown: Mapping[str, str] = Field(default_factory=dict)


class RedrivenView(View):
    """The ids of the records that were put back; none if that was done before."""

    id: str
    put_back: Sequence[str] = ()
