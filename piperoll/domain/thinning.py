"""Which progress becomes a fact: one per step or 5 percent, at most 30 a run, 0.25 s apart."""

from dataclasses import dataclass

STEP_PERCENT = 5
MAX_FACTS = 30
PACE_S = 0.25  # no person reads faster, and a fact costs the whole pipeline 8 ms of CPU


@dataclass(slots=True)
class Thinning:
    """The reported progress of one run. No fact is due before `due`, in seconds of the clock that `admit` gets."""

    step: str | None = None
    percent: int = -STEP_PERCENT
    count: int = 0
    due: float = 0.0

    def admit(self, step: str, percent: int, now: float = 0.0) -> bool:
        """Whether to append this progress; if so, count it."""
        if self.count >= MAX_FACTS:
            return False
        if step == self.step and percent < self.percent + STEP_PERCENT:
            return False
        self.step, self.percent, self.count, self.due = step, percent, self.count + 1, now + PACE_S
        return True
