"""The load: clients that post jobs of all kinds, repeat what was not acknowledged, cancel, erase and read."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx

from tests.chaos.storm.site import Site
from tests.support.stacks.system import Json

COMPLETED = frozenset({"completed"})
FAILED = frozenset({"failed"})
ANY_END = COMPLETED | FAILED  # a cancelled job reads "failed"
KINDS: dict[str, tuple[Json, frozenset[str]]] = {
    "fast": ({}, COMPLETED),
    "slow": ({"sleep_s": 3, "steps": 6}, COMPLETED),
    "long": ({"sleep_s": 12, "steps": 12}, COMPLETED),
    "crashing": ({"behaviour": "crash", "until_attempt": 2}, ANY_END),
    "hanging": ({"behaviour": "loop", "timeout_s": 3}, FAILED),
    "memory": ({"behaviour": "allocate", "until_attempt": 2}, ANY_END),
    "failing": ({"behaviour": "fail"}, FAILED),
}
"""The parameters of each kind of job, and the ends that are right for it.

A crash charges an attempt, as a lost worker does not: a crashing job may use up its attempts.
"""
WEIGHTS = {"fast": 50, "slow": 20, "long": 5, "crashing": 8, "hanging": 3, "memory": 2, "failing": 4}
PAUSE_S = 0.25  # of one client between two jobs: with 6 clients some 15 jobs a second at most
REPEAT_S = 0.5
EQUAL_KEYS = 100


@dataclass(slots=True)
class Accepted:
    """A job that the API acknowledged: the ends that are right for it, and whether it has a webhook."""

    ends: frozenset[str]
    hooked: bool
    kind: str


@dataclass(slots=True)
class Book:
    """The clients' record. `disputes` are sentences about answers that break a promise at once."""

    jobs: dict[str, Accepted] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    batches: dict[str, int] = field(default_factory=dict)
    disputes: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)


class Load:
    """Clients of all processes of the API until they are stopped. Every choice is drawn from `chances`."""

    def __init__(self, site: Site, book: Book, chances: random.Random) -> None:
        self._clients = itertools.cycle(site.clients)
        self._hook = site.system.receiver.url("/hook")
        self._book = book
        self._chances = chances
        self._number = 0

    async def run(self, clients: int, stopping: asyncio.Event) -> None:
        """Run so many clients. Each finishes what it began: a request that was not acknowledged is repeated."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(clients):
                tasks.create_task(self._client(stopping))

    async def _client(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            dice = self._chances.random()
            if dice < 0.80:
                await self._post_job()
            elif dice < 0.83:
                await self._post_batch()
            elif dice < 0.86:
                await self._post_equal_keys()
            elif dice < 0.89:
                await self._cancel()
            elif dice < 0.92:
                await self._erase()
            else:
                await self._read()
            await asyncio.sleep(self._chances.uniform(0, 2 * PAUSE_S))

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _post_job(self) -> None:
        body, accepted = self._draw()
        reply = await self._until_accepted(lambda key: self._post("/api/jobs/", body, key))
        self._book.jobs[str(reply["job_id"])] = accepted
        if self._chances.random() < 0.3:
            await self._require_found(str(reply["job_id"]))

    async def _post_batch(self, requests: int = 1) -> None:
        """A batch, requested so many times at once under one key."""
        count = self._chances.randint(2, 40)
        jobs = [{"job_type": "noop", "parameters": {}} for _ in range(count)]
        body = {"batch_name": "Storm", "jobs": jobs}
        key = self._key()
        same = [self._until_accepted(lambda _: self._post("/api/jobs/batch", body, key)) for _ in range(requests)]
        batches = {str(reply["batch"]["batch_id"]): reply["batch"] for reply in await asyncio.gather(*same)}
        if len(batches) != 1:
            self._book.disputes.append(f"{requests} requests with one Idempotency-Key made {sorted(batches)}")
        for batch_id, batch in batches.items():
            self._book.batches[batch_id] = count
            for member in batch["jobs"]:
                self._book.jobs[str(member["job_id"])] = Accepted(COMPLETED, False, "member")

    async def _post_equal_keys(self) -> None:
        """One Idempotency-Key many times at once, at all processes of the API: one job, or one batch."""
        if self._chances.random() < 0.3:
            await self._post_batch(requests=EQUAL_KEYS)
            return
        body, accepted = self._draw()
        key = self._key()
        same = [self._until_accepted(lambda _: self._post("/api/jobs/", body, key)) for _ in range(EQUAL_KEYS)]
        found = {str(reply["job_id"]) for reply in await asyncio.gather(*same)}
        if len(found) != 1:
            self._book.disputes.append(f"{EQUAL_KEYS} requests with one Idempotency-Key made the jobs {sorted(found)}")
        self._book.jobs.update(dict.fromkeys(found, accepted))

    async def _cancel(self) -> None:
        """Whatever the answer is: the request may have been appended."""
        if (job_id := self._some_job()) is None:
            return
        self._widen(job_id)
        await self._try(lambda: next(self._clients).post(f"/api/jobs/{job_id}/cancel"))

    async def _erase(self) -> None:
        """Whatever the answer is: the erasure may have been appended."""
        if (job_id := self._some_job()) is None or self._book.jobs[job_id].kind == "member":
            return
        self._book.erased.add(job_id)
        await self._try(lambda: next(self._clients).delete(f"/api/jobs/{job_id}"))

    async def _read(self) -> None:
        if (job_id := self._some_job()) is not None:
            await self._require_found(job_id)

    async def _require_found(self, job_id: str) -> None:
        reply = await self._try(lambda: next(self._clients).get(f"/api/jobs/{job_id}"))
        if reply is not None and reply.status_code == 404 and job_id not in self._book.erased:
            self._book.disputes.append(f"GET of the accepted job {job_id} answered 404")

    # --- their parts -------------------------------------------------------------------------------------------------

    async def _post(self, path: str, body: Json, key: str) -> httpx.Response:
        return await next(self._clients).post(path, json=body, headers={"Idempotency-Key": key})

    async def _until_accepted(self, post: Callable[[str], Awaitable[httpx.Response]]) -> Json:
        """Repeat a request under one key until it is answered 200. A refusal of a valid request is a dispute."""
        key = self._key()
        while True:
            reply = await self._try(lambda: post(key))
            if reply is not None and reply.status_code == 200:
                return dict(reply.json()["data"])
            if reply is not None and 400 <= reply.status_code < 500 and reply.status_code != 429:
                self._book.disputes.append(f"a valid request was answered {reply.status_code}: {reply.text[:200]}")
            await asyncio.sleep(REPEAT_S)

    async def _try(self, call: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response | None:
        try:
            reply = await call()
        except httpx.TransportError as error:
            self._book.answers[type(error).__name__] += 1
            return None
        self._book.answers[str(reply.status_code)] += 1
        return reply

    def _draw(self) -> tuple[Json, Accepted]:
        (kind,) = self._chances.choices(list(WEIGHTS), list(WEIGHTS.values()))
        given, ends = KINDS[kind]
        hooked = self._chances.random() < 0.5
        webhook = {"webhook": {"url": self._hook, "token": "secret"}} if hooked else {}
        return {"job_type": "noop", "parameters": {**given, **webhook}}, Accepted(ends, hooked, kind)

    def _widen(self, job_id: str) -> None:
        known = self._book.jobs[job_id]
        self._book.jobs[job_id] = Accepted(known.ends | FAILED, known.hooked, known.kind)

    def _some_job(self) -> str | None:
        return self._chances.choice(list(self._book.jobs)) if self._book.jobs else None

    def _key(self) -> str:
        self._number += 1
        return f"storm-{self._chances.getrandbits(64):016x}-{self._number}"
