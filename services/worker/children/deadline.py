"""The time limits of a run, and the failure of a run whose process ended. Pure. Times are monotonic seconds."""

import math
import signal
from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import RETRYABLE, ErrorCode
from services.worker.children.protocol import Failed

BUSY = 0.5  # of a time without progress: what waits for a server or a disk uses far less


@dataclass(slots=True)
class RunWatch:
    """The times of one run. `reported` is the time of its last progress.

    `noted` is a time after that, and the processor time that the run had used by then: see `is_busy`.
    """

    started: float
    timeout_s: float
    stall_timeout_s: float
    reported: float
    page_timeout_s: float = math.inf
    noted: tuple[float, float] | None = None

    def look_at(self, now: float, page_since: float | None = None) -> float:
        """The time of the next look at the run: when it can be over, or has made no progress for half of that time."""
        due = self.due(now, page_since)
        return due if self._is_noted() else min(due, max(now, self._halfway()))

    def note(self, now: float, processor_s: Callable[[], float]) -> None:
        """Note the processor time if the run has made no progress for half of its time."""
        if not self._is_noted() and now >= self._halfway():
            self.noted = (now, processor_s())

    def is_busy(self, now: float, processor_s: float) -> bool:
        """Whether the run computed for most of a long time without progress. Another attempt would compute the same."""
        if self.noted is None or not self._is_noted() or now <= self.noted[0]:
            return False
        return processor_s - self.noted[1] >= BUSY * (now - self.noted[0])

    def _is_noted(self) -> bool:
        return self.noted is not None and self.noted[0] >= self.reported

    def _halfway(self) -> float:
        limit = min(self.started + self.timeout_s, self.reported + self.stall_timeout_s)
        return (self.reported + limit) / 2

    def due(self, now: float, page_since: float | None = None) -> float:
        """The earliest time at which the run can be over. `page_since` is the start of the work on a page."""
        return min(
            self.started + self.timeout_s,
            self.reported + self.stall_timeout_s,
            (now if page_since is None else page_since) + self.page_timeout_s,
        )

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
