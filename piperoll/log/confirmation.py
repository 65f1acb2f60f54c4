"""When stored positions must be compared with what was handled, although no record arrives.

A store that went back to an earlier state shows nothing to the reader of a quiet partition.
"""

import asyncio

INTERVAL_S = 30.0
AGAIN_S = 2.0  # after a comparison that an outage prevented


class Confirmation:
    """The times of one reader's comparisons: at intervals, and once for each `generation` of the store's server."""

    def __init__(self) -> None:
        self._generation = -1
        self._next = 0.0

    def due(self, generation: int) -> bool:
        """Whether to compare now."""
        return generation != self._generation or _now() >= self._next

    def done(self, generation: int) -> None:
        """Note a comparison."""
        self._generation, self._next = generation, _now() + INTERVAL_S

    def put_off(self, generation: int) -> None:
        """Note a comparison that an outage prevented."""
        self._generation, self._next = generation, _now() + AGAIN_S


def _now() -> float:
    return asyncio.get_running_loop().time()
