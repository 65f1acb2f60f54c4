"""The runs of open jobs that this fold of a partition saw lose. Pure.

A run that another one superseded, or that ended unfinished, never counts again (piperoll.domain.job). Of runs that this
fold did not see it is not known whether they lost: the fold may have forgotten how the job ended before.
"""

from piperoll.domain.backlog import Transition
from piperoll.domain.job import Job, Status


class LostRuns:
    """Collects lost runs until their job ends. Empty for most jobs."""

    def __init__(self) -> None:
        self._by_job: dict[str, set[str]] = {}

    def see(self, transition: Transition) -> frozenset[str]:
        """Take the next transition of a job; at the job's end return its runs that lost."""
        before, after = transition.before, transition.after
        if after is None or not transition.accepted:
            return frozenset()
        if before is not None and before.run is not None and _lost(before.run, after):
            self._by_job.setdefault(after.job_id, set()).add(before.run)
        return frozenset(self._by_job.pop(after.job_id, ())) if after.status.terminal else frozenset()


def _lost(run: str, after: Job) -> bool:
    return after.run != run or (after.status.terminal and after.status is not Status.COMPLETED)
