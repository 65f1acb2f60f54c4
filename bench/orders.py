"""What the measuring process and the load generator say to each other: one JSON document each way.

All times are seconds of CLOCK_MONOTONIC, which is one clock for all processes of a machine.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Order:
    """POST each of `bodies` once: as fast as `concurrency` allows, or `per_second` of them whatever the answers do.

    With `follow`, each job is read with `?wait=` until it has ended.
    """

    url: str
    key: str
    bodies: list[str]
    path: str = "/api/jobs/"
    concurrency: int = 32
    per_second: float | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """One job: when it was due to be sent, acknowledged, and (if followed) read as ended."""

    job_id: str
    due: float
    acknowledged: float
    read: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order. `cpu_s` is what the generator itself took between `began` and `ended`."""

    began: float
    acknowledged: float
    ended: float
    cpu_s: float
    posted: list[Posted] = field(default_factory=list)
