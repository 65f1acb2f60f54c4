"""How those who fill a queue wake the dispatcher of it."""

import asyncio
from collections.abc import Iterable

from services.notifier.delivery.due_origins import Agenda


class Bell:
    """The agenda and the wake-up call of one dispatcher."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.wake = asyncio.Event()

    def ring(self, origins: Iterable[str]) -> None:
        """These receivers have something due now."""
        now = asyncio.get_running_loop().time()
        for origin in origins:
            self.agenda.hint(origin, now)
            self.wake.set()
