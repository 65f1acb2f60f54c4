"""POSTs acknowledged a second, against FastAPI and aiokafka alone; nothing else runs meanwhile."""

from dataclasses import dataclass
from statistics import median

from bench.orders import Order
from bench.programs import generate, running
from bench.rig import Rig

COUNT = 2000
ROUNDS = 5
CONCURRENCY = 32
BESIDE = ("worker", "projector", "notifier")


@dataclass(frozen=True, slots=True)
class Posts:
    """POSTs a second, the middle of several rounds; `ratio` is the middle of the rounds' ratios."""

    api: float
    bare: float
    ratio: float


async def compare(rig: Rig) -> Posts:
    """Runs both in turn. The services that would work on the jobs are stopped: they are measured elsewhere."""
    for service in BESIDE:
        await rig.stack.stop_service(service)
    settings = rig.settings
    async with running("bench.bare_api", settings.kafka_bootstrap, str(settings.partitions)) as program:
        ours = rig.order("noop", [{}] * COUNT, concurrency=CONCURRENCY)
        bare = Order(f"http://127.0.0.1:{program.first['port']}", "", ours.bodies, concurrency=CONCURRENCY)
        await _per_second(ours)
        await _per_second(bare)
        pairs = [(await _per_second(ours), await _per_second(bare)) for _ in range(ROUNDS)]
    return Posts(
        api=median(api for api, _ in pairs),
        bare=median(bare for _, bare in pairs),
        ratio=median(api / bare for api, bare in pairs),
    )


async def _per_second(order: Order) -> float:
    answer = await generate(order)
    return len(answer.posted) / (answer.acknowledged - answer.began)
