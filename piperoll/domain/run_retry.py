"""Whether and when another attempt follows a failed one. Pure; the random number is a parameter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from piperoll.domain.job import Job

UNCHARGED_AGE = timedelta(days=1)
"""The age of a job from which faults of the installation are charged too, so that no job is retried for ever."""
JITTER = 0.25  # added, never subtracted: a delay is a lower bound


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between attempts in seconds: `base`, doubled for each retry, up to `cap`."""

    base: float
    cap: float

    def delay(self, retries: int, chance: float) -> float:
        """The delay after `retries` earlier ones; `chance` in [0, 1) spreads jobs that failed together."""
        return min(self.cap, self.base * 2.0 ** min(retries, 32)) * (1 + JITTER * chance)


def is_charged(job: Job, own_fault: bool, now: datetime) -> bool:
    """Whether a failed attempt counts against the job: a fault of the installation does not, up to UNCHARGED_AGE."""
    return not own_fault or now - job.created_at > UNCHARGED_AGE


def earlier_failures(job: Job, charged: bool) -> int:
    """How many failures came before the one of the current run, of those that are charged or of the others.

    Lost runs are not failures: a job that lost several must not wait for minutes after a moment without the blob store.
    The fold does not count releases, so an uncharged failure waits longer after them.
    """
    return job.retries if charged else max(0, job.attempt - 1 - job.retries - job.losses)


def may_retry(job: Job, retryable: bool, charged: bool = True) -> bool:
    """Whether another attempt may follow a failed one. Losses, releases and uncharged failures are not counted."""
    return retryable and (not charged or job.retries + 1 < job.max_attempts)
