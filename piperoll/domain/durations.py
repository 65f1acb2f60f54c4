"""Durations counted in bins whose widths grow with them, so that a few numbers keep the shape of any number. Pure.

Four bins double the duration: a duration that is read from them is off by at most a tenth.
"""

import math
from collections.abc import Sequence

PER_OCTAVE = 4
LAST = 35 * PER_OCTAVE
"""The bin of all durations of a year and more."""


def bin_of(seconds: float) -> int:
    """Return the number of a duration's bin, from 0: that of a millisecond, and of all that is shorter."""
    milliseconds = max(1.0, seconds * 1000)
    return min(LAST, round(PER_OCTAVE * math.log2(milliseconds)))


def bins_of(durations: Sequence[float]) -> list[int]:
    """Return how many of these durations, in seconds, are in each bin, up to the last one that has any."""
    numbers = [bin_of(seconds) for seconds in durations]
    counts = [0] * (max(numbers, default=-1) + 1)
    for number in numbers:
        counts[number] += 1
    return counts


def quantile(bins: Sequence[int], share: float) -> float | None:
    """Return the seconds within which `share` (0 to 1) of the durations were; None if there are none."""
    total = sum(bins)
    if total == 0:
        return None
    wanted, reached = max(1, math.ceil(share * total)), 0
    for number, count in enumerate(bins):
        reached += count
        if reached >= wanted:
            return float(2 ** (number / PER_OCTAVE) / 1000)
    raise AssertionError("the counts of all bins are their sum")
