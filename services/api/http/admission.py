"""What each owner does at this process at present, and how much of it at a time. No I/O.

The counts are exact, and those of one process: each of several API processes allows as much again.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

from starlette.requests import Request

from piperoll.domain.pace import Pace
from piperoll.settings import Settings
from schemas.errors import ErrorCode
from services.api.http.computing import Computing
from services.api.http.errors import ApiError

P = ParamSpec("P")
T = TypeVar("T")

BURST_S = 2.0  # a second's requests may arrive at once, after a pause those of two
LARGE_WAIT_S = 5.0  # for the end of another large body, before a request with one is refused
QUERIES_OF_OWNER = 4  # at a time; half of the connections to Postgres (piperoll.postgres.connect_pool)


class Activity(StrEnum):
    """What is counted for each owner, by its name in answers."""

    REQUESTS = "requests_at_a_time"
    UPLOADS = "uploads"
    STREAMS = "streams"
    LONG_POLLS = "long_polls"
    LARGE_BODIES = "large_bodies"


REMEDIES = {
    Activity.REQUESTS: "wait for answers before more requests are sent",
    Activity.UPLOADS: "send fewer files at a time",
    Activity.STREAMS: "close a stream; /api/stream has the changes of all jobs in one",
    Activity.LONG_POLLS: "wait for fewer jobs at a time; /api/stream has the changes of all jobs",
    Activity.LARGE_BODIES: "send large bodies one after the other",
}
RETRY_S = {Activity.REQUESTS: 1, Activity.UPLOADS: 5, Activity.STREAMS: 5, Activity.LONG_POLLS: 5}


def quota_exceeded(quota: str, limit: int, remedy: str, retry_s: int) -> ApiError:
    """Return a 429 with Retry-After: an owner has reached one of its limits."""
    message = f"the limit of {limit:,} {quota.replace('_', ' ')} is reached: {remedy}, or try again in {retry_s} s"
    details = {"quota": quota, "limit": limit}
    return ApiError(429, ErrorCode.QUOTA_EXCEEDED, message, details, {"Retry-After": str(retry_s)})


@dataclass(frozen=True, slots=True)
class TrafficLimits:
    """The most of each activity for one owner, its requests a second, alone and beside others, and the large bodies of
    all owners at a time."""

    requests_per_s: int
    shared_per_s: int
    large_bodies: int
    most: dict[Activity, int]

    @classmethod
    def of(cls, settings: Settings) -> "TrafficLimits":
        """Return those of the settings. With two large bodies or more, one owner cannot have them all."""
        most = {
            Activity.REQUESTS: settings.owner_requests,
            Activity.UPLOADS: settings.owner_uploads,
            Activity.STREAMS: settings.owner_streams,
            Activity.LONG_POLLS: settings.owner_long_polls,
            Activity.LARGE_BODIES: max(1, settings.max_large_bodies - 1),
        }
        return cls(settings.owner_requests_per_s, settings.owner_shared_per_s, settings.max_large_bodies, most)


class Traffic:
    """The activities of all owners at this process."""

    def __init__(self, limits: TrafficLimits) -> None:
        self.limits = limits
        self._counts: dict[str, Counter[Activity]] = {}
        self._pace = Pace(limits.shared_per_s)
        self.computing = Computing()
        self._large = 0
        self._freed = asyncio.Event()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._credit: dict[str, tuple[float, float]] = {}  # requests that may come now, and when that was known

    def enter(self, owner: str) -> "Admission":
        """Count a request until it is left. Raises ApiError QUOTA_EXCEEDED (429)."""
        now = time.monotonic()
        self._charge(owner, now)
        self.begin(owner, Activity.REQUESTS)
        turns = self._turns.setdefault(owner, asyncio.Semaphore(QUERIES_OF_OWNER))
        return Admission(self, owner, turns, self._pace.wait(owner, now))

    def count(self, owner: str, activity: Activity) -> int:
        """Return how much of an activity an owner has going on."""
        return self._counts[owner][activity] if owner in self._counts else 0

    def begin(self, owner: str, activity: Activity) -> None:
        """Count the begin of an activity. Raises ApiError QUOTA_EXCEEDED (429)."""
        most = self.limits.most[activity]
        if self.count(owner, activity) >= most:
            raise quota_exceeded(activity.value, most, REMEDIES[activity], RETRY_S[activity])
        self._counts.setdefault(owner, Counter())[activity] += 1

    def end(self, owner: str, activity: Activity) -> None:
        """Count the end of an activity."""
        counts = self._counts[owner]
        counts[activity] -= 1
        if not counts[activity]:
            del counts[activity]
        if not counts:
            del self._counts[owner]

    async def begin_large(self, owner: str) -> None:
        """Wait until a large body may be held in memory. Raises ApiError QUOTA_EXCEEDED (429) after LARGE_WAIT_S."""
        most = self.limits.most[Activity.LARGE_BODIES]
        try:
            async with asyncio.timeout(LARGE_WAIT_S):
                while self._large >= self.limits.large_bodies or self.count(owner, Activity.LARGE_BODIES) >= most:
                    await self._freed.wait()
        except TimeoutError:
            limit, remedy = self.limits.large_bodies, REMEDIES[Activity.LARGE_BODIES]
            raise quota_exceeded(Activity.LARGE_BODIES.value, limit, remedy, math.ceil(LARGE_WAIT_S)) from None
        self._large += 1
        self._counts.setdefault(owner, Counter())[Activity.LARGE_BODIES] += 1

    def end_large(self, owner: str) -> None:
        """Count the end of a large body; those that wait look again."""
        self._large -= 1
        self.end(owner, Activity.LARGE_BODIES)
        self._freed.set()
        self._freed = asyncio.Event()

    def _charge(self, owner: str, now: float) -> None:
        rate = self.limits.requests_per_s
        credit, known_at = self._credit.get(owner, (rate * BURST_S, now))
        credit = min(rate * BURST_S, credit + (now - known_at) * rate)
        if credit < 1:
            raise quota_exceeded("requests_per_second", rate, "send them at a lower rate", 1)
        self._credit[owner] = (credit - 1, now)


class Admission:
    """What one request has begun; `close` ends all of it.

    `turns` are those of its owner's queries; `wait_s` is for how long it waits beside other owners (Pace).
    """

    def __init__(self, traffic: Traffic, owner: str, turns: asyncio.Semaphore, wait_s: float) -> None:
        self.turns = turns
        self.wait_s = wait_s
        self._traffic = traffic
        self._owner = owner
        self._begun = ExitStack()
        self._counted_as = Activity.REQUESTS
        self._is_large = False

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count an upload within the block. Raises ApiError QUOTA_EXCEEDED (429)."""
        self._traffic.begin(self._owner, Activity.UPLOADS)
        try:
            yield
        finally:
            self._traffic.end(self._owner, Activity.UPLOADS)

    async def hold_large_body(self) -> None:
        """Count a large body until the request ends. Raises ApiError QUOTA_EXCEEDED (429)."""
        if not self._is_large:
            await self._traffic.begin_large(self._owner)
            self._is_large = True
            self._begun.callback(partial(self._traffic.end_large, self._owner))

    async def compute(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a call that computes for long. Raises what it raises."""
        return await self._traffic.computing.run(self._owner, call, *args, **kwargs)

    def wait_as(self, activity: Activity) -> None:
        """Count the request as a stream or long poll from now on, and its body no longer as held.

        Raises ApiError QUOTA_EXCEEDED (429).
        """
        self._traffic.begin(self._owner, activity)
        self._begun.close()
        self._traffic.end(self._owner, self._counted_as)
        self._counted_as = activity

    def close(self) -> None:
        """End all that was begun."""
        self._begun.close()
        self._traffic.end(self._owner, self._counted_as)


def admission_of(request: Request) -> Admission:
    """Return the admission of a request that passed the gate."""
    admission = request.scope["piperoll.admission"]
    assert isinstance(admission, Admission)
    return admission
