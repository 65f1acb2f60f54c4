"""How those who fill a queue wake the dispatcher of it."""

import asyncio
from collections.abc import Iterable

from services.notifier.delivery.due_origins import DueOrigins


class Wakeup:
    """What is due, as far as this process knows, and the wake-up call of one dispatcher."""

    def __init__(self) -> None:
        self.due = DueOrigins()
        self.wake = asyncio.Event()

    def hint(self, origins: Iterable[str]) -> None:
        """These receivers have something due now."""
        now = asyncio.get_running_loop().time()
        for origin in origins:
            self.due.hint(origin, now)
            self.wake.set()
