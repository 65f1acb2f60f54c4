"""Which progress becomes a fact: one per step or 5 percent, at most 30 a run, 0.25 s apart, and slow ones beside them.

A step of which 5 percent take long gets a fact for another page or percent too: one after 5 s, later after 10 and 20 s,
at most 30 a run. So a scan of many pages shows that it moves, at the cost of a fact in some seconds of work. The first
pages that can be read are a fact at once, which leads readers to all later ones.
"""

from dataclasses import dataclass

STEP_PERCENT = 5
MAX_FACTS = 30
PACE_S = 0.25  # no person reads faster, and a fact costs the whole pipeline 8 ms of CPU
SLOW_S = 5.0
MAX_SLOW = 30


def slow_gap(slow: int) -> float:
    """The seconds without a fact before a slow one, after `slow` of them: doubled after each ten."""
    return SLOW_S * 2.0 ** (slow // 10)


@dataclass(slots=True)
class Thinning:
    """The reported progress of one run. No fact is due before `due`, in seconds of the clock that `admit` gets.

    `count` are all facts, `slow` those of a slow step. `readable`: there was a fact with
    readable pages.
    """

    step: str | None = None
    percent: int = -STEP_PERCENT
    count: int = 0
    due: float = 0.0
    page: int | None = None
    at: float = 0.0
    slow: int = 0
    readable: bool = False

    def admit(self, step: str, percent: int, now: float = 0.0, page: int | None = None, readable: bool = False) -> bool:
        """Whether to append this progress; if so, count it. `readable`: pages of the run can be read."""
        is_step = step != self.step or percent >= self.percent + STEP_PERCENT
        if is_step:
            if self.count - self.slow >= MAX_FACTS:
                return False
        elif (readable and not self.readable) or self._is_slow(percent, now, page):
            self.slow += 1
        else:
            return False
        self.step, self.percent, self.page = step, percent, page
        self.count, self.at, self.due, self.readable = self.count + 1, now, now + PACE_S, self.readable or readable
        return True

    def _is_slow(self, percent: int, now: float, page: int | None) -> bool:
        moved = percent > self.percent or page != self.page
        return moved and self.slow < MAX_SLOW and now - self.at >= slow_gap(self.slow)
