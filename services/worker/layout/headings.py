"""Which headings a document has, and how deep they are. Pure.

The size of the font ranks them first; among headings of one size their numbers do, as in papers whose sections and
subsections look alike (`II. METHODS`, `A. Sensors`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.worker.layout.lines import text_of
from services.worker.layout.regions import PageLayout, Region

HEADINGS: Final = frozenset({"title", "section-header"})
DEEPEST: Final = 6
SCHEMES: Final = {
    "roman": re.compile(r"[IVX]+\.?\s"),
    "letter": re.compile(r"[A-Z]\.\s"),
    "number": re.compile(r"\d+\.?\s"),
    "second number": re.compile(r"(?:\d+|[A-Z])\.\d+\.?\s"),
    "third number": re.compile(r"(?:\d+|[A-Z])\.\d+\.\d+\.?\s"),
    "further number": re.compile(r"(?:\d+|[A-Z])(?:\.\d+){3,}\.?\s"),
}
COUNTED: Final = re.compile(r"\d+")
RUNNING: Final = 3  # pages that begin or end with the same heading

Key = tuple[int, str]
"""The size of a heading's font in whole points, and the scheme of its number, empty without one."""
Levels = Mapping[Key, int]


def key_of(region: Region) -> Key:
    """Return what the level of a heading depends on."""
    text = text_of(region.lines)
    return region.size, next((name for name, shape in SCHEMES.items() if shape.match(text)), "")


def levels_of(pages: Iterable[PageLayout]) -> Levels:
    """Return the levels of a document's headings, from 1 to DEEPEST."""
    keys = [key_of(one) for page in pages for one in page.regions if one.name in HEADINGS and one.size]
    levels: dict[Key, int] = {}
    level = 0
    for size in sorted({size for size, _ in keys}, reverse=True):
        level = _rank([scheme for one, scheme in keys if one == size], size, level + 1, levels)
    return levels


def _rank(schemes: Sequence[str], size: int, first: int, levels: dict[Key, int]) -> int:
    """Set the levels of one size from `first` on; return the deepest. Headings without a number are the highest."""
    levels[size, ""] = min(first, DEEPEST)
    level, above = first, ""
    for scheme in dict.fromkeys(scheme for scheme in schemes if scheme):
        if above and _is_below(scheme, above, schemes):
            level += 1
            levels[size, scheme] = min(level, DEEPEST)
        else:
            levels[size, scheme] = min(first, DEEPEST)
        above = above or scheme
        above = scheme if levels[size, scheme] == min(level, DEEPEST) else above
    return level


def _is_below(scheme: str, above: str, schemes: Sequence[str]) -> bool:
    """Whether headings of a scheme stand among those of another one, and not after all of them as an appendix does."""
    last = len(schemes) - 1 - schemes[::-1].index(above)
    return scheme.endswith(" number") or schemes.index(scheme) < last


def without_running(pages: Sequence[PageLayout]) -> list[PageLayout]:
    """Return pages on which a heading that begins or ends several of them is a running header or footer."""
    count = Counter(name for page in pages for name in {_name(region) for region in _edges(page)})
    running = {name for name, times in count.items() if times >= RUNNING and name}

    def renamed(page: PageLayout, region: Region) -> Region:
        if region not in _edges(page) or _name(region) not in running:
            return region
        return replace(region, name="page-header" if region is page.regions[0] else "page-footer")

    return [PageLayout(tuple(renamed(page, region) for region in page.regions)) for page in pages]


def _edges(page: PageLayout) -> list[Region]:
    """Return the first and the last region, if they are headings."""
    return [region for region in (page.regions[:1] + page.regions[-1:]) if region.name in HEADINGS]


def _name(region: Region) -> str:
    return COUNTED.sub("", text_of(region.lines)).strip().casefold()
