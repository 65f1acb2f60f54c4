"""The time limits of a run, and the failure of a run whose process ended. Pure. Times are monotonic seconds."""

import math
import signal
from dataclasses import dataclass
from typing import Final

from schemas.errors import RETRYABLE, ErrorCode
from services.worker.children.protocol import Failed

LEAST_BUSY_S: Final = 5.0
"""Processor time that shows that a run computes; less may be a slow start on a busy machine."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A time, and the seconds of processor time that the child had used then."""

    at: float
    busy_s: float


@dataclass(slots=True)
class RunWatch:
    """The times of one run. `reported` is the time of its last progress, `usage` what was read at half of its time."""

    started: float
    timeout_s: float
    stall_timeout_s: float
    reported: float
    page_timeout_s: float = math.inf
    usage: Usage | None = None

    def due(self, now: float, page_since: float | None = None) -> float:
        """The earliest time at which the run can be over. `page_since` is the start of the work on a page."""
        return min(
            self.started + self.timeout_s,
            self.reported + self.stall_timeout_s,
            (now if page_since is None else page_since) + self.page_timeout_s,
        )

    def half(self) -> float:
        """When the usage is to be read: at half of the whole time, and of each time without progress."""
        whole = math.inf if self.usage else self.started + self.timeout_s / 2
        silent = math.inf if self.usage and self.usage.at >= self.reported else self.reported + self.stall_timeout_s / 2
        return min(whole, silent)

    def computed(self, now: Usage) -> bool:
        """Whether the run reported nothing since half of its time and computed for most of it.

        Another attempt would do the same. A run that shared its core with more than one other is not judged.
        """
        if self.usage is None or self.usage.at < self.reported:
            return False
        busy_s = now.busy_s - self.usage.busy_s
        return busy_s >= max(LEAST_BUSY_S, (now.at - self.usage.at) / 2)

    def expired(self, now: float, page_since: float | None = None) -> Failed | None:
        """PROCESSING_TIMEOUT for a run past its deadline or silent for too long (docs/contract/secretary.md#job)."""
        if now >= self.started + self.timeout_s:
            return self._timeout(f"Processing took longer than the {self.timeout_s:g} seconds allowed.", now)
        if now >= self.reported + self.stall_timeout_s:
            return self._timeout(f"Processing made no progress for {self.stall_timeout_s:g} seconds.", now)
        if page_since is not None and now >= page_since + self.page_timeout_s:
            return self._timeout(f"A page took longer than {self.page_timeout_s:g} seconds.", now)
        return None

    def out_of_time(self, now: float) -> bool:
        """Whether the run's whole time is over."""
        return now >= self.started + self.timeout_s

    def crashed(self, returncode: int | None, now: float) -> Failed:
        """PROCESSOR_CRASHED; its message names how the process ended."""
        sentence = f"The process that worked on this input {described(returncode)}."
        return self._failed(ErrorCode.PROCESSOR_CRASHED, sentence, "ProcessExit", now)

    def _timeout(self, sentence: str, now: float) -> Failed:
        return self._failed(ErrorCode.PROCESSING_TIMEOUT, sentence, "Timeout", now)

    def _failed(self, code: ErrorCode, sentence: str, error_type: str, now: float) -> Failed:
        return Failed(
            code=code,
            message=sentence,
            error_type=error_type,
            retryable=code in RETRYABLE,
            duration_ms=round((now - self.started) * 1000),
        )


def described(returncode: int | None) -> str:
    """The end of a process in words: a negative code is the signal that ended it."""
    if returncode is None or returncode >= 0:
        return f"ended by itself with exit code {returncode}"
    if -returncode == signal.SIGKILL:
        return "was killed from outside (SIGKILL), as the system does when it runs out of memory"
    try:
        return f"crashed ({signal.Signals(-returncode).name})"
    except ValueError:  # a real-time signal has no name
        return f"crashed (signal {-returncode})"
