"""What the layout models find on a page: regions in reading order, with their lines. Pure data.

Places are in points from the top left corner of the page as it is shown.
"""

from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from schemas.blocks import Box


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of a line in one style, from `left` to `right`; `size` is that of the font, in points."""

    text: str
    left: float
    right: float
    size: float
    bold: bool = False
    italic: bool = False
    mono: bool = False


@dataclass(frozen=True, slots=True)
class RegionLine:
    """A line of text."""

    box: Box
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        """The text without styles."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page. `name` is the models' own, such as `section-header`; `html` is a table, empty for others."""

    name: str
    box: Box
    lines: tuple[RegionLine, ...] = ()
    html: str = ""

    @property
    def size(self) -> int:
        """The largest font, in whole points."""
        return max((round(run.size) for line in self.lines for run in line.runs if run.text.strip()), default=0)


@dataclass(frozen=True, slots=True)
class PageLayout:
    """The regions of a page in reading order."""

    regions: tuple[Region, ...] = field(default=())


LAYOUT: Final = TypeAdapter(PageLayout)
