"""What follows a failed attempt: another one later, or the end. Pure; the chance is passed in."""

from dataclasses import dataclass

from piperoll.domain.job import Job

JITTER = 0.25  # added, never subtracted: a delay is a promise to wait at least so long


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between attempts in seconds: `base`, then twice as long each time, up to `cap`."""

    base: float
    cap: float

    def delay(self, retries: int, chance: float) -> float:
        """The delay after `retries` earlier ones; `chance` in [0, 1) spreads jobs that failed together."""
        return min(self.cap, self.base * 2.0 ** min(retries, 32)) * (1 + JITTER * chance)


def may_retry(job: Job, retryable: bool) -> bool:
    """Whether an attempt that failed now is to be followed by another. Losses and releases are not counted here."""
    return retryable and job.retries + 1 < job.max_attempts
