"""Requests to several API processes that are repeated until they are answered, and the judgement of each answer.

A request is repeated only if that is safe by HTTP alone: the connection was refused, or closed before the first byte
of an answer. Everything else is a fault. A POST that creates something has an Idempotency-Key; an upload has none, and
one that is repeated may leave a file that no job uses.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from tests.support.stacks.system import Json

REPEAT_S = 0.1
UNANSWERED = (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""Errors that a client may repeat, as long as no byte of the answer has come."""

Right = Callable[[int, int], bool]
"""Whether a status is right; the second number is how often the request was repeated."""


@dataclass(slots=True)
class Seen:
    """What the clients saw: what was acknowledged, answers and repeats by kind, and sentences about broken promises.

    `jobs` includes the members of `batches`; the jobs that read `documents` are beside them. `removed` are documents
    whose removal was requested. Jobs and batches that were erased are counted alone.
    """

    jobs: list[str] = field(default_factory=list)
    uploads: int = 0
    batches: dict[str, int] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    erased_jobs: int = 0
    erased_batches: int = 0
    endpoints: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> dict[str, str]:
        """The documents that were not removed, with the jobs that read them."""
        return {one: job for one, job in self.documents.items() if one not in self.removed}


def is_ok(status: int, repeats: int) -> bool:
    """Whether a request succeeded with 200."""
    return status == 200


def is_gone(status: int, repeats: int) -> bool:
    """Whether a removal succeeded; one that is repeated may find nothing."""
    return status in (200, 202) or (status == 404 and repeats > 0)


class Requests:
    """One HTTP client of all processes, which are given by their origins."""

    def __init__(self, origins: Sequence[str], key: str, chances: random.Random) -> None:
        self.seen = Seen()
        self.client = httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False)
        self._origins = list(origins)
        self._chances = chances

    def some_origin(self) -> str:
        """One of the processes."""
        return self._chances.choice(self._origins)

    def key(self) -> dict[str, str]:
        """The header of a request that must be carried out once."""
        return {"Idempotency-Key": f"{self._chances.getrandbits(64):016x}"}

    async def ask(self, method: str, path: str, right: Right = is_ok, **request: object) -> Json | None:
        """The data of the answer to a request that is repeated, at the next process, until it is answered.

        None for a fault, and for a right answer that is an error.
        """
        first = self._chances.randrange(len(self._origins))
        for repeats in range(1000):
            origin = self._origins[(first + repeats) % len(self._origins)]
            begun = False
            try:
                async with self.client.stream(method, f"{origin}{path}", **request) as reply:  # type: ignore[arg-type]
                    begun = True
                    content = await reply.aread()
            except UNANSWERED as error:
                self.note(f"{method} {origin}{path}", error, begun)
                await asyncio.sleep(REPEAT_S)
                continue
            if not self.judge(f"{method} {path}", reply.status_code, content, right(reply.status_code, repeats)):
                return None
            return dict(reply.json()) if reply.is_success else None
        raise AssertionError(f"{method} {path} was never answered")

    def judge(self, request: str, status: int, content: bytes, right: bool) -> bool:
        """Count an answer; one that is not right is a fault."""
        self.seen.answers[f"{request.partition(' ')[0]} {status}"] += 1
        if not right:
            self.seen.faults.append(f"{request} was answered by {status}: {content.decode()[:300]}")
        return right

    def note(self, request: str, error: Exception, begun: bool) -> None:
        """Count a connection that was lost; after the first byte of an answer that is a fault."""
        self.seen.repeats[type(error).__name__] += 1
        if begun:
            self.seen.faults.append(f"the answer to {request} broke off: {error!r}")
