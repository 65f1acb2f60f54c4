"""Pure: how long a run may take, how long it may stay silent, and what is said of one whose process ended.

Times are seconds of a monotonic clock, passed in.
"""

import signal
from dataclasses import dataclass

from schemas.errors import RETRYABLE, ErrorCode
from services.worker.children.protocol import Failed


@dataclass(slots=True)
class RunWatch:
    """One run under watch. `heard` is when it last reported progress."""

    started: float
    timeout_s: float
    stall_timeout_s: float
    heard: float

    def due(self) -> float:
        """When to look again: the earliest time at which the run can be over."""
        return min(self.started + self.timeout_s, self.heard + self.stall_timeout_s)

    def expired(self, now: float) -> Failed | None:
        """PROCESSING_TIMEOUT for a run past its deadline or silent for too long (contract 3)."""
        if now >= self.started + self.timeout_s:
            return self._timeout(f"Processing took longer than the {self.timeout_s:g} seconds allowed.", now)
        if now >= self.heard + self.stall_timeout_s:
            return self._timeout(f"Processing made no progress for {self.stall_timeout_s:g} seconds.", now)
        return None

    def crashed(self, returncode: int | None, now: float) -> Failed:
        """PROCESSOR_CRASHED, saying how the process ended."""
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
    """How a process ended, in words: a negative code is the signal that ended it."""
    if returncode is None or returncode >= 0:
        return f"ended by itself with exit code {returncode}"
    if -returncode == signal.SIGKILL:
        return "was killed from outside (SIGKILL), as the system does when it runs out of memory"
    try:
        return f"crashed ({signal.Signals(-returncode).name})"
    except ValueError:  # a real-time signal has no name
        return f"crashed (signal {-returncode})"
