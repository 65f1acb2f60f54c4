"""Whether and when another attempt follows a failed one. Pure; the random number is a parameter."""

from dataclasses import dataclass

from piperoll.domain.job import Job

JITTER = 0.25  # added, never subtracted: a delay is a lower bound


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between attempts in seconds: `base`, doubled for each retry, up to `cap`."""

    base: float
    cap: float

    def delay(self, retries: int, chance: float) -> float:
        """The delay after `retries` earlier ones; `chance` in [0, 1) spreads jobs that failed together."""
        return min(self.cap, self.base * 2.0 ** min(retries, 32)) * (1 + JITTER * chance)


def may_retry(job: Job, retryable: bool) -> bool:
    """Whether another attempt may follow a failed one. Losses and releases are not counted."""
    return retryable and job.retries + 1 < job.max_attempts
