"""Wakes the dispatcher of a queue when rows are added to it."""

import asyncio
from collections.abc import Iterable

from services.notifier.delivery.due_receivers import DueReceivers, ReceiverKey


class Wakeup:
    """The due times known to this process, and the wake-up event of one dispatcher."""

    def __init__(self) -> None:
        self.due = DueReceivers()
        self.wake = asyncio.Event()

    def hint(self, receivers: Iterable[ReceiverKey]) -> None:
        """Note that these receivers have something due now."""
        now = asyncio.get_running_loop().time()
        for receiver in receivers:
            self.due.hint(receiver, now)
            self.wake.set()
