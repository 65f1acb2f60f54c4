"""A small job and its webhook of one owner, while nothing else happens and while another owner does its worst."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from bench.programs.calls import running
from bench.report import Table, at_most, p50_p99
from bench.rig import Rig, started
from piperoll import keys
from piperoll.postgres import connect_pool

JOBS = 100
PAUSE_S = 0.05
SILENT = 100
POSTERS = 16
FACTOR = 2  # the aim: at most so many times the quiet time
SETTINGS = {"PIPEROLL_FINAL_TIMEOUT_S": "600", "PIPEROLL_PROGRESS_TIMEOUT_S": "600"}
SLEEPER = {"job_type": "noop", "parameters": {"sleep_s": 3600}}


class Hooks:
    """A receiver that answers at once and wakes who waits for a job's final webhook."""

    def __init__(self) -> None:
        self.url = ""
        self._ended: dict[str, asyncio.Event] = {}

    def ended(self, client_id: str) -> asyncio.Event:
        """The event that the final webhook of a job sets."""
        return self._ended.setdefault(client_id, asyncio.Event())

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one webhook."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.startswith(b"content-length"))
        body = json.loads(await reader.readexactly(length))
        if body["phase"] in ("completed", "error"):
            self.ended(body["job"]["id"]).set()
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


async def measure(data: Path) -> Table:
    """Measure a small job and its webhook, quiet and beside an owner that does its worst."""
    async with started(data, SETTINGS) as rig, _client(rig, "modest") as modest, _receiver() as hooks:
        await _times(modest, hooks, "warm")
        quiet = await _times(modest, hooks, "quiet")
        async with _client(rig, "greedy") as greedy, _worst(greedy) as rates:
            beside = await _times(modest, hooks, "beside")
    rows = []
    for number, name in enumerate(("job, p50", "job, p99", "webhook, p50", "webhook, p99")):
        detail = f"quiet {quiet[number]:.0f} ms"
        rows.append(at_most(name, beside[number], round(FACTOR * quiet[number]), detail))
    note = (
        f"No-op jobs of one owner, one after the other: from the POST until a long poll returned, and until the final "
        f"webhook came. Beside it another owner has jobs of an hour in the slots, webhooks to {SILENT} receivers that "
        f"never answer, and {POSTERS} clients that post without a pause: "
        f"{rates.get('accepted', 0):.0f} jobs/s accepted."
    )
    columns = ("What", "Measured", "Aim", "Reached", "Detail")
    return Table("A small job beside an owner that does its worst", columns, rows, note)


async def _times(client: httpx.AsyncClient, hooks: Hooks, name: str) -> tuple[float, ...]:
    """The percentiles of the job and of its webhook, in milliseconds."""
    jobs, webhooks = [], []
    for number in range(JOBS):
        client_id = f"{name}-{number}"
        webhook = {"url": hooks.url, "jobId": client_id}
        began = monotonic()
        job_id = await _post(client, "/api/jobs/", {"job_type": "noop", "parameters": {"webhook": webhook}})
        while (await client.get(f"/api/jobs/{job_id}?wait=30")).json()["data"]["status"] != "completed":
            pass
        jobs.append(monotonic() - began)
        await hooks.ended(client_id).wait()
        webhooks.append(monotonic() - began)
        await asyncio.sleep(PAUSE_S)
    return (*p50_p99(jobs), *p50_p99(webhooks))


async def _post(client: httpx.AsyncClient, path: str, body: Any) -> str:
    reply = await client.post(path, json=body)
    reply.raise_for_status()
    return str(reply.json()["data"]["job_id" if path == "/api/jobs/" else "batch_id"])


@asynccontextmanager
async def _worst(greedy: httpx.AsyncClient) -> AsyncIterator[dict[str, float]]:
    """Let an owner do its worst; yields what its posts were answered a second, which is known at the end.

    They come from a process apart: in this one they would delay the clients that are measured.
    """
    rates: dict[str, float] = {}
    async with AsyncExitStack() as servers:
        urls = []
        for _ in range(SILENT):
            server = await servers.enter_async_context(await asyncio.start_server(_hold, "127.0.0.1", 0))
            urls.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
        jobs = [{"job_type": "noop", "parameters": {"webhook": {"url": url}}} for url in urls * 2]
        await _post(greedy, "/api/jobs/batch", {"jobs": jobs})
        await asyncio.sleep(5)  # until its webhooks wait
        for _ in range(4):
            await _post(greedy, "/api/jobs/", SLEEPER)
        key = greedy.headers["Authorization"].removeprefix("Bearer ")
        posters = (str(greedy.base_url).rstrip("/"), key, str(POSTERS), json.dumps(SLEEPER))
        async with running("bench.programs.posting", *posters) as posting:
            began = monotonic()
            yield rates
            posting.send("")
            answers = await posting.receive()
            rates.update({name: count / (monotonic() - began) for name, count in answers.items()})


async def _hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a request and do not answer it."""
    await reader.read()


@asynccontextmanager
async def _receiver() -> AsyncIterator[Hooks]:
    hooks = Hooks()
    async with await asyncio.start_server(hooks.answer, "127.0.0.1", 0) as server:
        hooks.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield hooks


@asynccontextmanager
async def _client(rig: Rig, owner: str) -> AsyncIterator[httpx.AsyncClient]:
    pool = await connect_pool(rig.settings.postgres_dsn.get_secret_value())
    try:
        _, key = await keys.create(pool, rig.settings.key_pepper.get_secret_value(), owner, ("jobs",))
    finally:
        await pool.close()
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=rig.stack.api_url, headers=headers, timeout=70, trust_env=False) as client:
        yield client
