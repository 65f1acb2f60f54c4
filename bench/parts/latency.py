"""The latency of no-op jobs at a steady rate: until the row is committed, and until a client's long poll returned."""

from bench.report import Row, at_most, p50_p99
from bench.rig import Rig

AIM_P50, AIM_P99 = 40, 100  # ms


async def measure(rig: Rig, per_second: float, seconds: float) -> list[Row]:
    """Post at a rate that does not depend on the answers. Times count from when a POST was due."""
    order = rig.order("noop", [{}] * int(per_second * seconds), per_second=per_second, concurrency=8, follow=True)
    run = await rig.run(order)
    posted = run.answer.posted
    acknowledged = p50_p99([one.acknowledged - one.due for one in posted])
    readable = p50_p99([run.readable[one.job_id] - one.due for one in posted])
    read = p50_p99([(one.read or 0.0) - one.due for one in posted])
    detail = f"acknowledged {acknowledged[0]:.0f} / {acknowledged[1]:.0f} ms, client {read[0]:.0f} / {read[1]:.0f} ms"
    return [
        at_most(f"Latency at {per_second:g} jobs/s, p50", readable[0], AIM_P50, detail),
        at_most(f"Latency at {per_second:g} jobs/s, p99", readable[1], AIM_P99, ""),
    ]
