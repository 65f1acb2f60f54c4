"""A run of this worker, as the runner keeps it."""

import asyncio
from dataclasses import dataclass

from piperoll.domain.job import Job
from services.worker.manager.journal import Journal


@dataclass(slots=True, eq=False)
class Attempt:
    """A run of this worker, from its claim until its end was read from the log. `leaving`: its slot is taken back."""

    job: Job
    run: str
    partition: int
    journal: Journal
    task: "asyncio.Task[None] | None" = None
    in_slot: bool = True
    leaving: bool = False

    @property
    def owner(self) -> str:
        """The owner of the job."""
        return self.job.owner
