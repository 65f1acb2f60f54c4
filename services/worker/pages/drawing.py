"""Rendering formats of pages (docs/contract/secretary.md#archives), and rendered pixels. Pure.

The number of pixels is limited before rendering, whatever size a page declares.
"""

import math
from dataclasses import dataclass

POINTS_PER_INCH = 72  # the PDF unit
LARGEST = 40_000_000  # pixels of one image: A1 at 200 DPI; 120 MB before compression
NARROWEST = 1.0  # minimum side in pixels


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image as rows of RGB bytes, without gaps."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class RenderFormat:
    """Size and JPEG quality: a longest `side` in pixels, or a resolution in dots per inch.

    With `shrink` a page of more than `max_pixels` is rendered smaller; without it, not at all.
    """

    quality: int
    side: int | None = None
    dpi: int | None = None
    max_pixels: int = LARGEST
    shrink: bool = False

    def zoom(self, width: float, height: float) -> float | None:
        """Return the zoom factor for a page of this size in points; None when it is not rendered."""
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


PAGE_IMAGE = RenderFormat(side=1280, quality=80)
PREVIEW = RenderFormat(side=360, quality=80)
HIGH_RES = RenderFormat(dpi=200, quality=85)
VISION = RenderFormat(side=1540, quality=85)  # the maximum of Mistral's vision models
