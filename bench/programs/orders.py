"""The messages between the measuring process and the load generator: one JSON object in each direction.

All times are seconds of CLOCK_MONOTONIC, which is the same for all processes of a machine.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """POST each of `bodies` once: at most `concurrency` at a time, or `per_second` of them without waiting for answers.

    With `follow`, each job is read with `?wait=` until it has ended.
    """

    url: str
    key: str
    bodies: list[str]
    concurrency: int = 32
    per_second: float | None = None
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """One job: when its POST was due, when it was acknowledged, and (with `follow`) when its end was read."""

    job_id: str
    due: float
    acknowledged: float
    read: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of an order: its begin, the generator's CPU seconds since then, and the jobs."""

    began: float
    cpu_s: float
    posted: list[Posted]

    def posts_per_second(self) -> float:
        """The rate of acknowledged POSTs."""
        return len(self.posted) / (max(one.acknowledged for one in self.posted) - self.began)
