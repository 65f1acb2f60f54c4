"""The rate limit of a key (docs/contract/devana.md#rate-limit), counted in Postgres for all processes together.

Answers report it as RateLimit-Limit, -Remaining and -Reset (draft-ietf-httpapi-ratelimit-headers up to 07), which
client libraries read. The two fields of later drafts are not sent.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from piperoll.postgres import load_queries
from schemas.errors import ErrorCode
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError

WINDOW_S = 60.0
_QUERIES = load_queries("services.api.http", "rate_limit.sql")


@dataclass(frozen=True, slots=True)
class Quota:
    """The count after one request. `frees_s` is in how many seconds the next one leaves the window."""

    limit: int
    admitted: bool
    used: int
    frees_s: float
    window_s: float = WINDOW_S
    what: str = "requests"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every answer under /v1."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "RateLimit-Reset": self._seconds,
        }

    def refusal(self) -> ApiError:
        """Return a 429 with Retry-After."""
        message = f"more than {self.limit} {self.what} in {self.window_s:.0f} s: try again in {self._seconds} s"
        details = {"limit": self.limit, "window_s": int(self.window_s)}
        return ApiError(429, ErrorCode.RATE_LIMITED, message, details, {"Retry-After": self._seconds})

    @property
    def _seconds(self) -> str:
        return str(max(1, math.ceil(self.frees_s)))


class RateLimit:
    """Admits at most `limit` requests of a key, or of what else is counted, per `window_s`."""

    def __init__(
        self, pool: asyncpg.Pool, limit: int, deadline_s: float, window_s: float = WINDOW_S, what: str = "requests"
    ) -> None:
        self._pool = pool
        self._limit = limit
        self._deadline_s = deadline_s
        self._window_s = window_s
        self._what = what

    async def count(self, key_id: str, now: datetime | None = None) -> Quota:
        """Count a request if it is admitted. `now` is the database's clock by default. Raises
        ReadModelUnavailableError."""
        async with bounded_query("admit", self._deadline_s):
            (row,) = await self._pool.fetch(_QUERIES["admit"], key_id, self._limit, self._window_s, now)
        return Quota(self._limit, row["admitted"], row["used"], row["frees_s"], self._window_s, self._what)
