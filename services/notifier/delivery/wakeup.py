"""Wakes the dispatcher of a queue when rows are added to it."""

import asyncio
from collections.abc import Iterable

from services.notifier.delivery.due_origins import DueOrigins


class Wakeup:
    """The due times known to this process, and the wake-up event of one dispatcher."""

    def __init__(self) -> None:
        self.due = DueOrigins()
        self.wake = asyncio.Event()

    def hint(self, origins: Iterable[str]) -> None:
        """Note that these receivers have something due now."""
        now = asyncio.get_running_loop().time()
        for origin in origins:
            self.due.hint(origin, now)
            self.wake.set()
