"""Recognised words and lines with their boxes, and how a page's text is turned. Pure geometry.

Boxes are upright: in pixels of the image as it would be if its text ran from left to right, y grows downwards.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

Point = tuple[float, float]

ELONGATED: Final = 1.5
"""A box shows a direction when its long side has at least this multiple of the short one; a letter has none."""
LEVEL: Final = 0.1  # degrees: less is the detector's own error


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word, its confidence from 0 to 1, and its box."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """The width of the box."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The height of the box."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The vertical centre of the box."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class TextLine(Word):
    """A recognised line, and its words from left to right, as far as their places are known."""

    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """How far a page's text is turned clockwise, in degrees: 90 for a page that lies on its right side."""

    degrees: float = 0.0

    def upright(self, point: Point) -> Point:
        """Return where a point of the image is when the text is upright; the origin stays."""
        return _turned(point, -self.degrees)

    def on_image(self, point: Point) -> Point:
        """Return where an upright point is on the image."""
        return _turned(point, self.degrees)

    def opposite(self) -> "Turn":
        """Return the turn by half a circle more."""
        return Turn((self.degrees + 180) % 360)


def _turned(point: Point, degrees: float) -> Point:
    if degrees % 90 == 0:  # exact, so that the boxes of a straight page stay whole numbers
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(degrees % 360) // 90]
    else:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))  # type: ignore[assignment]
    x, y = point
    return x * cos - y * sin, x * sin + y * cos


def turn_of(quads: Iterable[Sequence[Point]]) -> Turn:
    """Return the turn of a page from the corners of its lines, from -45 up to 135 degrees: top and bottom look alike.

    It is the median direction of the long sides, weighted by their lengths: a stamp across the page changes nothing.
    """
    directions = [one for quad in quads if (one := _direction(quad)) is not None]
    if not directions:
        return Turn()
    # Directions repeat after half a circle, so their doubled angles have a mean.
    mean = math.atan2(
        sum(length * math.sin(2 * angle) for angle, length in directions),
        sum(length * math.cos(2 * angle) for angle, length in directions),
    ) / 2  # fmt: skip
    around = sorted(((angle - mean + math.pi / 2) % math.pi - math.pi / 2, length) for angle, length in directions)
    degrees = math.degrees(mean + _weighted_median(around))
    degrees = (degrees + 45) % 180 - 45
    nearest = round(degrees / 90) * 90.0
    return Turn(nearest if abs(degrees - nearest) < LEVEL else degrees)


def _direction(quad: Sequence[Point]) -> tuple[float, float] | None:
    """Return the direction of a box's long side in radians and its length; None for a box that is as high as wide."""
    (x0, y0), (x1, y1), _, (x3, y3) = quad
    along, across = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
    if along >= ELONGATED * across:
        return math.atan2(y1 - y0, x1 - x0), along
    if across >= ELONGATED * along:
        return math.atan2(y3 - y0, x3 - x0), across
    return None


def _weighted_median(values: Sequence[tuple[float, float]]) -> float:
    half, passed = sum(weight for _, weight in values) / 2, 0.0
    for value, weight in values:
        passed += weight
        if passed >= half:
            return value
    return values[-1][0]


def corners(quad: Iterable[Point], turn: Turn) -> tuple[Point, Point, Point, Point]:
    """Return the corners of a box on the image as seen upright: top left, top right, bottom right, bottom left."""
    seen = [(turn.upright(point), point) for point in quad]
    falling = sorted(seen, key=lambda one: one[0][0] + one[0][1])
    rising = sorted(falling[1:-1], key=lambda one: one[0][0] - one[0][1])
    return falling[0][1], rising[-1][1], falling[-1][1], rising[0][1]
