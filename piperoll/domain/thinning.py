"""Which progress is a fact: one per step or 5 percent, at most 30 a run. Finer progress is not worth the log."""

from dataclasses import dataclass

STEP_PERCENT = 5
MAX_FACTS = 30


@dataclass(slots=True)
class Thinning:
    """Remembers what one run has reported."""

    step: str | None = None
    percent: int = -STEP_PERCENT
    count: int = 0

    def admit(self, step: str, percent: int) -> bool:
        """Whether this progress is to be appended; counts it if so."""
        if self.count >= MAX_FACTS:
            return False
        if step == self.step and percent < self.percent + STEP_PERCENT:
            return False
        self.step, self.percent, self.count = step, percent, self.count + 1
        return True
