"""When a request is sent again, and after how long. Pure, except for the drawn jitter.

The shape is exponential backoff with full jitter: each pause is drawn between zero and a bound that doubles.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

REFUSED_BEFORE = frozenset({429})
"""Statuses of requests that the API refused before it did anything: they are repeated whatever they are."""
PASSING = frozenset({429, 502, 503, 504})
"""Statuses that may pass. A 507 is not among them: space appears only when something is deleted."""
LARGEST_EXPONENT = 30


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often requests are repeated.

    `retry_for_s` bounds a call from its first request on; 0 never repeats. `timeout_s` bounds each read of an answer,
    `connect_s` each connection. `draw` returns a number from 0 to 1.
    """

    retry_for_s: float = 60.0
    base_s: float = 0.25
    longest_s: float = 10.0
    timeout_s: float = 60.0
    connect_s: float = 10.0
    draw: Callable[[], float] = random.random

    def pause(self, attempt: int, retry_after: float | None = None) -> float:
        """Return the seconds before the next attempt, after `attempt` of them: 1, 2, 3…

        A `retry_after` of the API is a lower bound; the jitter on top keeps clients from returning as one.
        """
        drawn = self.draw() * min(self.longest_s, self.base_s * 2.0 ** min(attempt - 1, LARGEST_EXPONENT))
        return drawn if retry_after is None else retry_after + min(drawn, self.base_s)
