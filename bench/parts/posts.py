"""Acknowledged POST/s, and of FastAPI and aiokafka alone; no other service runs meanwhile."""

from statistics import median

from bench.programs.calls import generate, running
from bench.programs.orders import Order
from bench.report import Row, at_least
from bench.rig import Rig

COUNT = 2000
ROUNDS = 5
CONCURRENCY = 32
STOPPED = ("worker", "projector", "notifier")
AIM = 0.7


async def measure(rig: Rig) -> Row:
    """Run both in turn. The services that would process the jobs are stopped: other parts measure them.

    Rates are medians of the rounds; the ratio is the median of the rounds' ratios.
    """
    for service in STOPPED:
        await rig.stack.stop_service(service)
    async with running("bench.programs.bare_api", str(rig.stack.data_dir)) as program:
        order = rig.order("noop", [{}] * COUNT, concurrency=CONCURRENCY)
        bare_order = Order(f"http://127.0.0.1:{program.first['port']}", "", order.bodies, concurrency=CONCURRENCY)
        await _per_second(order)
        await _per_second(bare_order)
        rounds = [(await _per_second(order), await _per_second(bare_order)) for _ in range(ROUNDS)]
    api, bare = (median(rates) for rates in zip(*rounds, strict=True))
    ratio = median(api / bare for api, bare in rounds)
    return at_least("POST/s acknowledged, API : bare", ratio, AIM, f"{api:,.0f} : {bare:,.0f} POST/s")


async def _per_second(order: Order) -> float:
    return (await generate(order)).posts_per_second()
