"""How long a job that runs will still take. Pure: numbers in, seconds out, never negative.

What was measured of other jobs counts at the beginning, the pace of the job itself the more, the further it is. With
both, nothing jumps where one takes over from the other.
"""

from collections.abc import Sequence
from typing import Final

from services.api.outlook.durations import quantile

LEAST_SHARE: Final = 0.05
"""The share from which on the job's pace alone is an estimate."""
DOUBT: Final = 8
"""How much faster an expectation that was measured of other work gives way to the pace."""


def by_pace(share: float, elapsed_s: float, expected_s: float | None, alike: bool = True) -> float | None:
    """Return the seconds left of work of which a `share` above 0 took `elapsed_s`, and of which the whole was expected
    to take `expected_s`; None if nothing is known. `alike`: the expectation is of the same kind of work.

    The expectation has a weight that falls from 1 to 0 with the share, the pace of the work itself has the rest.
    """
    share = min(share, 1.0)
    pace_s = max(elapsed_s, 0.0) / share
    if expected_s is None:
        return (1 - share) * pace_s if share >= LEAST_SHARE else None
    weight = (1 - share) ** (1 if alike else DOUBT)
    return (1 - share) * (weight * expected_s + (1 - weight) * pace_s)


def by_others(seconds: Sequence[float], elapsed_s: float) -> float | None:
    """Return the median of what is left to those that took longer than `elapsed_s`, of sorted times; None if it takes
    longer than all of them did."""
    longer = [one for one in seconds if one > elapsed_s]
    return quantile(longer, 0.5) - elapsed_s if longer else None


def since(left_s: float | None, ago_s: float) -> float | None:
    """Return what is left of an estimate that was made some time ago."""
    return None if left_s is None else max(0.0, left_s - max(ago_s, 0.0))
