"""When to rest between transactions, so that small polls grow. Pure: times are passed in.

A transaction of one record costs nearly as much as one of twenty. A projector that is busy with crumbs therefore
rests a moment, in which the next polls grow; one that has little to do never rests, so its latency stays.
"""

from dataclasses import dataclass

REST_S = 0.0
CRUMBS = 20  # records a transaction, below which resting pays
BUSY_SHARE = 0.5  # of the time outside rests; below it a rest would only add latency
WINDOW_S = 0.25  # how far back it looks: a burst shorter than this is simply worked off


@dataclass(slots=True)
class Pace:
    """How busy a reader was lately, and with how small transactions. Begins anew after each window."""

    began: float
    busy_s: float = 0.0
    rested_s: float = 0.0
    last_rest: float = 0.0
    records: int = 0
    transactions: int = 0
    resting: bool = False

    def rest_after(self, now: float, records: int, seconds: float) -> float:
        """Seconds to rest after a transaction of so many records, which took `seconds` and ended at `now`."""
        self.busy_s += seconds
        self.records += records
        self.transactions += 1
        elapsed = now - self.began
        if elapsed >= WINDOW_S:
            awake = max(elapsed - self.rested_s, self.busy_s)
            self.resting = self.busy_s > BUSY_SHARE * awake and self.records < CRUMBS * self.transactions
            self.began, self.busy_s, self.rested_s, self.records, self.transactions = now, 0.0, 0.0, 0, 0
        if not self.resting or now - self.last_rest < REST_S:
            return 0.0
        self.last_rest = now + REST_S
        self.rested_s += REST_S
        return REST_S
