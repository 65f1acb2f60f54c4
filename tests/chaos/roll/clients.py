"""The clients of a rolling restart: they post, read, wait and list at both API processes, and judge each answer.

A client repeats a request only if that is safe by HTTP alone: the connection was refused, or closed before the first
byte of an answer. A POST has an Idempotency-Key then. Everything else is a fault.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from tests.support.stacks.system import Json

CLIENTS = 6
PAUSE_S = 0.1  # of one client between two requests, on average
REPEAT_S = 0.1
DURATIONS = ([0, 0.5, 3], [20, 4, 1])
"""Seconds of a job, and their weights: at each stop of a worker some run that are released."""
UNANSWERED = (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""Errors that a client may repeat, as long as no byte of the answer has come."""


@dataclass(slots=True)
class Seen:
    """What the clients saw: acknowledged jobs, answers and repeats by kind, and sentences about broken promises."""

    jobs: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class RollingClients:
    """Clients of several API processes, given by their origins. Every choice is drawn from `seed`."""

    def __init__(self, origins: Sequence[str], key: str, webhook: str, seed: int) -> None:
        self.seen = Seen()
        self._origins = list(origins)
        self._webhook = webhook
        self._chances = random.Random(seed)
        self._stopping = asyncio.Event()
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)

    async def run(self) -> None:
        """Run until `stop`; each client finishes what it began."""
        async with self._client, asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS):
                tasks.create_task(self._live())
            tasks.create_task(self._follow())

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    async def _live(self) -> None:
        while not self._stopping.is_set():
            dice = self._chances.random()
            if dice < 0.4 or not self.seen.jobs:
                await self._post()
            elif dice < 0.6:
                await self._read(self.seen.jobs[-1])
            elif dice < 0.8:
                await self._read(self._chances.choice(self.seen.jobs))
            elif dice < 0.9:
                await self._read(self.seen.jobs[-1], wait="3")
            else:
                await self._request("GET", "/api/jobs/")
            await asyncio.sleep(self._chances.uniform(0, 2 * PAUSE_S))

    async def _post(self) -> None:
        parameters: Json = {"sleep_s": self._chances.choices(*DURATIONS)[0], "webhook": {"url": self._webhook}}
        body = {"job_type": "noop", "parameters": parameters}
        headers = {"Idempotency-Key": f"{self._chances.getrandbits(64):016x}"}
        reply = await self._request("POST", "/api/jobs/", json=body, headers=headers)
        if reply is not None:
            self.seen.jobs.append(str(reply["data"]["job_id"]))

    async def _read(self, job_id: str, **query: str) -> None:
        await self._request("GET", f"/api/jobs/{job_id}", params=query)

    async def _follow(self) -> None:
        """The stream of the owner: it ends properly when its process stops, and is resumed at another one."""
        last = ""
        while not self._stopping.is_set():
            origin = self._chances.choice(self._origins)
            headers = {"Last-Event-ID": last} if last else {}
            begun = False
            try:
                async with self._client.stream("GET", f"{origin}/api/stream", headers=headers) as reply:
                    begun = True
                    self._judge("GET", "/api/stream", reply.status_code, "")
                    async for line in reply.aiter_lines():
                        last = line.removeprefix("id:").strip() if line.startswith("id:") else last
                        if self._stopping.is_set():
                            return
            except UNANSWERED as error:
                self._note(f"GET {origin}/api/stream", error, begun)
            await asyncio.sleep(REPEAT_S)

    async def _request(self, method: str, path: str, **request: object) -> Json | None:
        """The answer to a request that is repeated, at the next process, until it is answered; None for a fault."""
        first = self._chances.randrange(len(self._origins))
        for attempt in range(1000):
            origin = self._origins[(first + attempt) % len(self._origins)]
            begun = False
            try:
                async with self._client.stream(method, f"{origin}{path}", **request) as reply:  # type: ignore[arg-type]
                    begun = True
                    content = await reply.aread()
            except UNANSWERED as error:
                self._note(f"{method} {origin}{path}", error, begun)
                await asyncio.sleep(REPEAT_S)
                continue
            if not self._judge(method, path, reply.status_code, content.decode()):
                return None
            found: Json = reply.json()
            return found
        raise AssertionError(f"{method} {path} was never answered")

    def _judge(self, method: str, path: str, status: int, content: str) -> bool:
        self.seen.answers[f"{method} {status}"] += 1
        if status != 200:
            self.seen.faults.append(f"{method} {path} was answered by {status}: {content[:300]}")
        return status == 200

    def _note(self, request: str, error: Exception, begun: bool) -> None:
        self.seen.repeats[type(error).__name__] += 1
        if begun:
            self.seen.faults.append(f"the answer to {request} broke off: {error!r}")
