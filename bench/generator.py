"""The load generator, a process of its own: reads an Order from standard input, answers on standard output.

It shares no event loop with anything that it measures, and tells what CPU it took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

import uvloop

from bench.orders import Answer, Order, Posted
from bench.wire import Client, request

WAIT_S = 30
ENDED = ("completed", "failed")


async def run(order: Order) -> Answer:
    """Carries an order out. Raises RequestFailedError at the first answer that is no 200."""
    client = Client(order.url)
    await client.open(order.concurrency)
    began, cpu = time.monotonic(), time.process_time()
    posted = await (_burst(order, client) if order.per_second is None else _paced(order, client, order.per_second))
    ended = time.monotonic()
    client.close()
    return Answer(
        began=began,
        acknowledged=max(one.acknowledged for one in posted),
        ended=ended,
        cpu_s=time.process_time() - cpu,
        posted=posted,
    )


async def _burst(order: Order, client: Client) -> list[Posted]:
    """A fixed number of requests in flight."""
    bodies = iter(order.bodies)

    async def lane(bodies: Iterator[str]) -> list[Posted]:
        return [await _job(order, client, body, time.monotonic()) for body in bodies]

    lanes = await asyncio.gather(*(lane(bodies) for _ in range(order.concurrency)))
    return [one for posted in lanes for one in posted]


async def _paced(order: Order, client: Client, per_second: float) -> list[Posted]:
    """A fixed rate. A late answer delays no other request, and its lateness counts from when it was due."""
    loop, first = asyncio.get_running_loop(), time.monotonic() + 0.1
    tasks: list[asyncio.Task[Posted]] = []
    for number, body in enumerate(order.bodies):
        due = first + number / per_second
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(loop.create_task(_job(order, client, body, due)))
    return await asyncio.gather(*tasks)


async def _job(order: Order, client: Client, body: str, due: float) -> Posted:
    answer = await client.ask(request(order.url, order.key, "POST", order.path, body.encode()))
    acknowledged = time.monotonic()
    job_id = json.loads(answer)["data"]["job_id"]
    read = await _followed(order, client, job_id) if order.follow else None
    return Posted(job_id, due, acknowledged, read)


async def _followed(order: Order, client: Client, job_id: str) -> float:
    """When the job was read as ended, by long polls as a client would."""
    message = request(order.url, order.key, "GET", f"/api/jobs/{job_id}?wait={WAIT_S}")
    while json.loads(await client.ask(message))["data"]["status"] not in ENDED:
        pass
    return time.monotonic()


def main() -> None:
    """Reads, runs, answers."""
    order = Order(**json.load(sys.stdin))
    answer = uvloop.run(run(order))
    json.dump(asdict(answer), sys.stdout)


if __name__ == "__main__":
    main()
