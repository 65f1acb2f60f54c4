"""Which progress is a fact: one per step or 5 percent, at most 30 a run, 0.25 s apart. Finer is not worth the log."""

from dataclasses import dataclass

STEP_PERCENT = 5
MAX_FACTS = 30
PACE_S = 0.25  # nobody reads faster, and a fact on its own costs the whole line 8 ms of CPU


@dataclass(slots=True)
class Thinning:
    """Remembers what one run has reported. No fact is due before `due`, in seconds of the clock that `admit` gets."""

    step: str | None = None
    percent: int = -STEP_PERCENT
    count: int = 0
    due: float = 0.0

    def admit(self, step: str, percent: int, now: float = 0.0) -> bool:
        """Whether this progress is to be appended; counts it if so."""
        if self.count >= MAX_FACTS:
            return False
        if step == self.step and percent < self.percent + STEP_PERCENT:
            return False
        self.step, self.percent, self.count, self.due = step, percent, self.count + 1, now + PACE_S
        return True
