"""The runs of jobs that this fold of a partition saw lose, until their outputs are deleted. Pure.

A run that another one superseded, or that ended unfinished, never counts again (piperoll.domain.job). Of runs that this
fold did not see it is not known whether they lost: the fold may have forgotten how the job ended before.
"""

from collections.abc import Collection, Container, Mapping

from piperoll.domain.backlog import Transition
from piperoll.domain.job import Job, Status


class LostRuns:
    """Collects lost runs until their job ends; then they are `due`. Empty for most jobs."""

    def __init__(self) -> None:
        self._of_open: dict[str, set[str]] = {}
        self._due: dict[str, frozenset[str]] = {}

    @classmethod
    def load(cls, dumped: Mapping[str, Collection[str]], open_jobs: Container[str]) -> "LostRuns":
        """Return what was dumped; the runs of jobs that are not open are due."""
        loaded = cls()
        for job_id, runs in dumped.items():
            if job_id in open_jobs:
                loaded._of_open[job_id] = set(runs)
            else:
                loaded._due[job_id] = frozenset(runs)
        return loaded

    def dump(self) -> Mapping[str, Collection[str]]:
        """All that is kept, by job, as it is now."""
        return {**{job_id: frozenset(runs) for job_id, runs in self._of_open.items()}, **self._due}

    @property
    def due(self) -> Mapping[str, frozenset[str]]:
        """The runs of ended jobs whose outputs are to be deleted."""
        return self._due

    def see(self, transition: Transition) -> frozenset[str]:
        """Take the next transition of a job; at the job's end return its runs that lost."""
        before, after = transition.before, transition.after
        if after is None or not transition.accepted:
            return frozenset()
        if before is not None and before.run is not None and _lost(before.run, after):
            self._of_open.setdefault(after.job_id, set()).add(before.run)
        if not after.status.terminal or (runs := self._of_open.pop(after.job_id, None)) is None:
            return frozenset()
        self._due[after.job_id] = frozenset(runs)
        return self._due[after.job_id]

    def carried_out(self, job_id: str) -> None:
        """The outputs of an ended job's lost runs are deleted."""
        self._due.pop(job_id, None)

    def forget(self, ended: Container[str]) -> None:
        """Drop what is due for jobs that ended too long ago to be among `ended`: a replay reads many."""
        self._due = {job_id: runs for job_id, runs in self._due.items() if job_id in ended}


def _lost(run: str, after: Job) -> bool:
    return after.run != run or (after.status.terminal and after.status is not Status.COMPLETED)
