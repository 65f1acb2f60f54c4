"""Whose job gets a slot, by the settings of this worker, and when one is taken back."""

from datetime import datetime, timedelta

from piperoll.domain.job import Job
from piperoll.domain.scheduler import Running, Scheduler
from piperoll.domain.shares import Patience, Sightings
from piperoll.settings import Settings

LOOK = timedelta(seconds=0.5)  # between two looks for owners that wait: a look passes over all users


class Turns:
    """The turns of owners at the slots of this worker."""

    def __init__(self, settings: Settings) -> None:
        self._reserved = min(settings.reserved_slots, settings.slots - 1)
        self._most = settings.owner_slots or None
        self._sightings = Sightings()
        self._patience = Patience()
        self._looked_at: datetime | None = None

    def sight(self, owner: str, now: datetime) -> None:
        """Note that an owner has a job here."""
        self._sightings.note(owner, now)

    def take(self, scheduler: Scheduler, now: datetime, running: Running, free: int) -> Job | None:
        """Remove and return the job to run now in one of the free slots."""
        reserved = self._reserved if self._sightings.several(now) else 0
        return scheduler.take(now, running, free, reserved, self._most)

    def must_take_back(self, scheduler: Scheduler, now: datetime, running: Running, blocked: bool) -> bool:
        """Whether an owner without running jobs has waited long enough. `blocked`: no slot is free."""
        if not blocked or not self._reserved:
            return self._patience.over(False, now)
        if self._looked_at is not None and now - self._looked_at < LOOK:
            return False
        self._looked_at = now
        return self._patience.over(scheduler.starves(running, now), now)
