"""How long a job takes at a steady rate: until its row says completed, and until a client's long poll has read it."""

from dataclasses import dataclass
from statistics import quantiles

from bench.programs import generate
from bench.rig import Rig


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from when a POST was due: (p50, p99) of the acknowledgement, the commit, the client's read."""

    per_second: float
    acknowledged: tuple[float, float]
    readable: tuple[float, float]
    read: tuple[float, float]


async def paced(rig: Rig, per_second: float, seconds: float) -> Latency:
    """No-op jobs at a rate that does not wait for answers."""
    order = rig.order("noop", [{}] * int(per_second * seconds), per_second=per_second, concurrency=8, follow=True)
    records = rig.projected.records
    answer = await generate(order)
    readable = await rig.projected.completed([one.job_id for one in answer.posted], records)
    return Latency(
        per_second=per_second,
        acknowledged=_middle_and_tail([one.acknowledged - one.due for one in answer.posted]),
        readable=_middle_and_tail([readable[one.job_id] - one.due for one in answer.posted]),
        read=_middle_and_tail([(one.read or 0.0) - one.due for one in answer.posted]),
    )


def _middle_and_tail(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return 1000 * cuts[49], 1000 * cuts[98]
