"""The load generator, a separate process: reads an Order from standard input and writes an Answer to standard output.

It shares no event loop with the measured processes, and reports its own CPU time.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict

import uvloop

from bench.programs.orders import Answer, Order, Posted
from bench.programs.wire import Client, request

PATH = "/api/jobs/"
WAIT_S = 30
ENDED = ("completed", "failed")


async def run(order: Order) -> Answer:
    """Execute an order. Raises RequestFailedError at the first answer with another status than 200."""
    client = Client(order.url)
    await client.open(order.concurrency)
    began, cpu = time.monotonic(), time.process_time()
    posted = await (_burst(order, client) if order.per_second is None else _paced(order, client, order.per_second))
    client.close()
    return Answer(began, time.process_time() - cpu, posted)


async def _burst(order: Order, client: Client) -> list[Posted]:
    """Keep a fixed number of requests in flight."""
    bodies = iter(order.bodies)

    async def lane(bodies: Iterator[str]) -> list[Posted]:
        return [await _job(order, client, body, time.monotonic()) for body in bodies]

    lanes = await asyncio.gather(*(lane(bodies) for _ in range(order.concurrency)))
    return [one for posted in lanes for one in posted]


async def _paced(order: Order, client: Client, per_second: float) -> list[Posted]:
    """Send at a fixed rate. A late answer delays no other request; its time counts from when its POST was due."""
    loop, first = asyncio.get_running_loop(), time.monotonic() + 0.1
    tasks: list[asyncio.Task[Posted]] = []
    for number, body in enumerate(order.bodies):
        due = first + number / per_second
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        tasks.append(loop.create_task(_job(order, client, body, due)))
    return await asyncio.gather(*tasks)


async def _job(order: Order, client: Client, body: str, due: float) -> Posted:
    answer = await client.ask(request(order.url, order.key, "POST", PATH, body.encode()))
    acknowledged = time.monotonic()
    job_id = json.loads(answer)["data"]["job_id"]
    read = await _followed(order, client, job_id) if order.follow else None
    return Posted(job_id, due, acknowledged, read)


async def _followed(order: Order, client: Client, job_id: str) -> float:
    """Long-poll a job as a client does; return when its end was read."""
    message = request(order.url, order.key, "GET", f"/api/jobs/{job_id}?wait={WAIT_S}")
    while json.loads(await client.ask(message))["data"]["status"] not in ENDED:
        pass
    return time.monotonic()


if __name__ == "__main__":
    json.dump(asdict(uvloop.run(run(Order(**json.load(sys.stdin))))), sys.stdout)
