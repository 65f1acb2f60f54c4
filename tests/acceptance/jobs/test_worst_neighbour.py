"""One owner does its worst in each way at a time; another owner's small jobs run and their webhooks arrive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from piperoll.embedded.stack import Stack, StackOptions
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import Json, System
from tests.support.waiting import PATIENCE_S, wait_until

CAPACITY = 64  # PIPEROLL_DELIVERY_CONCURRENCY
MOST_OF_ONE = CAPACITY * 3 // 4
SILENT = 80
BOUND = 5
SMALL = {
    "PIPEROLL_ENABLE_NOOP": "true",
    "PIPEROLL_SLOTS": "2",
    "PIPEROLL_OWNER_OPEN_JOBS": "300",
    "PIPEROLL_OWNER_STREAMS": str(BOUND),
    "PIPEROLL_OWNER_LONG_POLLS": str(BOUND),
    "PIPEROLL_OWNER_REQUESTS": "100",
    "PIPEROLL_PROGRESS_TIMEOUT_S": "600",
    "PIPEROLL_FINAL_TIMEOUT_S": "600",
}
SLEEPERS = b'{"jobs":[' + b",".join([b'{"job_type":"noop","parameters":{"sleep_s":3600}}'] * 100) + b"]}"
LARGE = b'{"job_type":"noop","parameters":{"x":"' + b"x" * 2_000_000 + b'"}}'


class SilentReceivers:
    """Origins that take connections and never answer. `held` counts the requests that wait."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.held = 0
        self.senders: list[asyncio.StreamWriter] = []

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to read a request, and keep its sender waiting."""
        self.senders.append(writer)
        if await reader.read(1):
            self.held += 1


@asynccontextmanager
async def silent_receivers(count: int) -> AsyncIterator[SilentReceivers]:
    silent = SilentReceivers()
    async with AsyncExitStack() as servers:
        for _ in range(count):
            server = await servers.enter_async_context(await asyncio.start_server(silent.hold, "127.0.0.1", 0))
            silent.urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
        try:
            yield silent
        finally:
            for sender in silent.senders:
                sender.close()


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A stack of its own with small quotas and two slots."""
    folder = tmp_path_factory.mktemp("neighbours")
    async with Receiver() as receiver, Stack(folder / "stack", StackOptions(extra_env=SMALL)) as running:
        await running.wait_ready(PATIENCE_S)
        async with httpx.AsyncClient(base_url=running.api_url, timeout=70) as client:
            yield System(running, client, receiver, folder)


async def created(client: httpx.AsyncClient, **parameters: object) -> str:
    reply = await client.post("/api/jobs/", json={"job_type": "noop", "parameters": parameters})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["job_id"])


async def status_of(client: httpx.AsyncClient, job_id: str) -> str:
    return str((await client.get(f"/api/jobs/{job_id}")).json()["data"]["status"])


async def served(system: System, client: httpx.AsyncClient) -> None:
    """A small job of the client runs, and its final webhook arrives; each of its requests is answered at once."""
    job_id = await created(client, webhook={"url": system.receiver.url()})

    async def ended() -> bool:
        reply = await client.get(f"/api/jobs/{job_id}")
        assert reply.status_code == 200, reply.text
        return bool(reply.json()["data"]["status"] == "completed")

    await wait_until(ended, 30, "the small job to complete")
    await system.wait_for_final_hooks([job_id])


async def hold_the_webhooks(greedy: httpx.AsyncClient, silent: SilentReceivers) -> None:
    """Jobs to many receivers that never answer, and many jobs to each."""
    jobs = [{"job_type": "noop", "parameters": {"webhook": {"url": url}}} for url in silent.urls * 2]
    assert (await greedy.post("/api/jobs/batch", json={"jobs": jobs})).status_code == 200
    await wait_until(lambda: silent.held >= MOST_OF_ONE, 60, "the greedy owner's webhooks to wait")


async def hold_the_slots(greedy: httpx.AsyncClient) -> list[str]:
    """Jobs that run for an hour."""
    names = [await created(greedy, sleep_s=3600) for _ in range(4)]

    async def held() -> bool:
        return "processing" in [await status_of(greedy, name) for name in names]

    await wait_until(held, 30, "a job of an hour to run")
    return names


@asynccontextmanager
async def holding_the_api(system: System, greedy: httpx.AsyncClient, job_id: str) -> AsyncIterator[list[Json]]:
    """More streams, long polls, large bodies and open jobs than one owner may have; yields the refusals."""
    refusals: list[Json] = []
    limits = httpx.Limits(max_connections=100)

    async def ask(method: str, path: str, content: bytes | None = None) -> None:
        async with client.stream(method, path, content=content) as reply:
            if reply.status_code == 429:
                assert int(reply.headers["Retry-After"]) > 0
                await reply.aread()
                refusals.append(reply.json()["error"])
            async for _ in reply.aiter_bytes():
                pass

    def all_refused() -> bool:
        return {"streams", "long_polls", "open_jobs"} <= {one["details"].get("quota") for one in refusals}

    url, headers = system.stack.api_url, greedy.headers
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=70) as client:
        asked = [asyncio.create_task(ask("POST", "/api/jobs/batch", SLEEPERS)) for _ in range(10)]
        for _ in range(2 * BOUND):
            asked.append(asyncio.create_task(ask("GET", "/api/stream")))
            asked.append(asyncio.create_task(ask("GET", f"/api/jobs/{job_id}?wait=60")))
            asked.append(asyncio.create_task(ask("POST", "/api/jobs/", LARGE)))
        try:
            await wait_until(all_refused, 60, "the greedy owner to be refused")
            yield refusals
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)


async def test_an_owner_that_comes_when_another_one_holds_all_slots_gets_one(shared: System) -> None:
    """The first test of the stack: a worker that had jobs of several owners in the last hour keeps a slot free."""
    async with shared.client_of("greedy") as greedy, shared.client_of("newcomer") as newcomer:
        held = [await created(greedy, sleep_s=3600) for _ in range(3)]

        async def running() -> int:
            return [await status_of(greedy, name) for name in held].count("processing") == 2

        await wait_until(running, 30, "one owner to hold both slots")
        await served(shared, newcomer)
        assert [await status_of(greedy, name) for name in held].count("processing") == 1
        for name in held:
            assert (await greedy.post(f"/api/jobs/{name}/cancel")).status_code == 200


async def test_an_owner_that_does_its_worst_stops_neither_jobs_nor_webhooks_of_another(shared: System) -> None:
    async with (
        silent_receivers(SILENT) as silent,
        shared.client_of("greedy") as greedy,
        shared.client_of("modest") as modest,
    ):
        await served(shared, modest)
        await hold_the_webhooks(greedy, silent)
        held = await hold_the_slots(greedy)
        await served(shared, modest)
        async with holding_the_api(shared, greedy, held[-1]) as refusals:
            for _ in range(3):
                await served(shared, modest)
        assert all("try again" in one["message"] for one in refusals)
        assert silent.held == MOST_OF_ONE, "the rest is free for other owners"
        standing = [await status_of(greedy, name) for name in held]
        assert standing.count("processing") == 1, "the other slot is free for other owners"
