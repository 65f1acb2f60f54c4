"""How long jobs of a type take here, from those that completed. Pure.

Jobs of the same method that read a similar number of pages are the best measure: their times, scaled to the number of
pages. Without such jobs all of the type are, which is marked. Fewer than LEAST jobs measure nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.job_types.page_work import PageWork

LEAST: Final = 3
NEAREST: Final = 30
"""Jobs that count: those with the most similar number of pages."""
GRID: Final = 10


class Basis(StrEnum):
    """What an expectation is based on: jobs of the same method, others of the same type, or nothing."""

    MEASURED = "measured"
    SIMILAR = "similar"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sample:
    """A completed job: the seconds from its first start to its end, and what it read. `files` is how many it wrote."""

    seconds: float
    pages: int | None = None
    method: str | None = None
    files: int = 0

    @property
    def draws(self) -> bool:
        """Whether it made a file of each page."""
        return self.pages is not None and self.files >= self.pages


@dataclass(frozen=True, slots=True)
class Expected:
    """The times in seconds that jobs like this one took, sorted; empty if they are not known. `jobs` were measured."""

    seconds: tuple[float, ...] = ()
    basis: Basis = Basis.NONE
    jobs: int = 0

    @property
    def p50(self) -> float | None:
        """The time within which half of such jobs end."""
        return quantile(self.seconds, 0.5) if self.seconds else None

    @property
    def p90(self) -> float | None:
        """The time within which nine of ten such jobs end."""
        return quantile(self.seconds, 0.9) if self.seconds else None


UNKNOWN: Final = Expected()


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which this share of sorted values is, between two of them by proportion."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def expected(
    samples: Sequence[Sample], pages: int | None = None, method: str | None = None, draws: bool | None = None
) -> Expected:
    """Return what is expected of a job with this number of pages, method and kind of output; None: not known."""
    basis = Basis.MEASURED
    alike = [one for one in samples if draws is None or one.draws == draws]
    if method is not None:
        alike = [one for one in alike if one.method == method]
    if len(fitting := _fitting(alike, pages)) < LEAST:
        basis, fitting = Basis.SIMILAR, _fitting(samples, pages)
    if len(fitting) < LEAST:
        return UNKNOWN
    return Expected(tuple(sorted(_scaled(one, pages) for one in fitting)), basis, len(fitting))


def expected_of_pages(
    samples: Sequence[Sample], work: PageWork | None, pages: int | None = None, with_text: int | None = None
) -> Expected:
    """Return what is expected of a job that reads its pages as `work`: all by one method, or each by what it has.

    `with_text` of the pages have text; None: not known, so that a mixture is measured by all jobs of the type.
    """
    if work is None:
        return expected(samples, pages)
    if work.method is not None or pages is None or with_text is None:
        whole = expected(samples, pages, work.method, work.draws)
        known = work.method is not None or whole.basis is Basis.NONE
        return whole if known else Expected(whole.seconds, Basis.SIMILAR, whole.jobs)
    parts = ((with_text, work.with_text), (pages - with_text, work.without_text))
    return _together([expected(samples, count, method, work.draws) for count, method in parts if count > 0])


def mean_s(samples: Sequence[Sample]) -> float | None:
    """Return the mean time of a job; None for fewer than LEAST. The slowest tenth counts as the fastest of it, so that
    a single job of hours does not stand for all."""
    if len(samples) < LEAST:
        return None
    ordered = sorted(one.seconds for one in samples)
    most = quantile(ordered, 0.9)
    return sum(min(one, most) for one in ordered) / len(ordered)


def _fitting(samples: Sequence[Sample], pages: int | None) -> Sequence[Sample]:
    """Return the samples that measure a job of so many pages, the most similar ones."""
    if not pages:
        return samples
    paged = [one for one in samples if one.pages]
    return sorted(paged, key=lambda one: abs(math.log((one.pages or 1) / pages)))[:NEAREST]


def _scaled(sample: Sample, pages: int | None) -> float:
    return sample.seconds * pages / sample.pages if pages and sample.pages else sample.seconds


def _together(parts: Sequence[Expected]) -> Expected:
    """Return the expectation of parts that follow each other: as if a slow one had only slow parts."""
    if len(parts) == 1:
        return parts[0]
    if not parts or any(not one.seconds for one in parts):
        return UNKNOWN
    grid = [step / GRID for step in range(GRID + 1)]
    seconds = tuple(sum(quantile(one.seconds, share) for one in parts) for share in grid)
    basis = Basis.MEASURED if all(one.basis is Basis.MEASURED for one in parts) else Basis.SIMILAR
    return Expected(seconds, basis, sum(one.jobs for one in parts))
