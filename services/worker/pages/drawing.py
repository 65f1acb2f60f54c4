"""How large pages are drawn for each purpose (contract 11), and a page that was drawn. Pure.

The number of pixels follows before anything is drawn, whatever size a page says it has.
"""

import math
from dataclasses import dataclass

POINTS_PER_INCH = 72  # the PDF unit
LARGEST = 40_000_000  # pixels of one drawing: A1 at 200 DPI; 120 MB before compression
NARROWEST = 1.0  # pixel: less of one side is no image


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image as rows of RGB bytes, without gaps."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """A purpose's size and JPEG quality: a longest `side` in pixels, or a resolution in dots an inch.

    `shrink` draws a page of more than `max_pixels` smaller; without it such a page is not drawn at all.
    """

    quality: int
    side: int | None = None
    dpi: int | None = None
    max_pixels: int = LARGEST
    shrink: bool = False

    def zoom(self, width: float, height: float) -> float | None:
        """The factor for a page of so many points, None for one that is not to be drawn."""
        longest = max(width, height)
        if not (math.isfinite(longest) and min(width, height) > 0):
            return None
        zoom = self.side / longest if self.side else (self.dpi or POINTS_PER_INCH) / POINTS_PER_INCH
        pixels = width * height * zoom**2
        if pixels > self.max_pixels:
            if not self.shrink:
                return None
            zoom *= math.sqrt(self.max_pixels / pixels)
        return zoom if longest * zoom >= NARROWEST else None


PAGE_IMAGE = Look(side=1280, quality=80)
PREVIEW = Look(side=360, quality=80)
HIGH_RES = Look(dpi=200, quality=85)
VISION = Look(side=1540, quality=85)  # what Mistral's vision models see at most
