"""Which pages of a PDF need OCR beside their text layer, or in place of it. Pure policy over facts of a page.

A text layer can be wrong in two ways: it lacks what a picture shows, or its codes stand for no characters.
"""

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

ODD: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd-\uffff\U000f0000-\U0010ffff]")
"""Control characters, the private use areas, U+FFFD and non-characters, of which a text has few."""
SPACES: Final = " \n\t\xa0"
CONTROLS: Final = bytes({*range(32), 127} - set(b"\t\n\r"))
CONTROL_SHARE: Final = 0.04  # of a page's characters: the spaces of a third of its text
ODD_SHARE: Final = 0.1  # of a font's characters; bullets and arrows of symbol fonts are fewer
ODD_RUN: Final = re.compile(f"{ODD.pattern}{{6}}")  # a word, also if it is the only one of its font
VOWELS: Final = b"aeiouAEIOU"
NO_LETTERS: Final = bytes(set(range(256)) - set(string.ascii_letters.encode()))
FEW_VOWELS: Final = 0.25  # of the letters; each language in Latin script has more than 30 %
FEWEST_LETTERS: Final = 20  # with fewer letters the share of vowels has no weight
SHORT: Final = 500  # characters but spaces: with more, a picture is an illustration or a background
BARE: Final = 16  # characters: at most a page number or a stamp
SCANNED: Final = 0.6  # the share of a page that a scan covers, with margins, beside a header or a stamp
PICTURED: Final = 0.2  # the same where nothing but a page number is written
WRITTEN: Final = 0.2  # the share of a page that its text covers when it is a slide, with a picture in the background
GRID: Final = 40  # cells of a page in each direction, in which its pictures are counted


class Doubt(StrEnum):
    """Why a page needs OCR."""

    NO_TEXT = "no_text"
    """It has no text layer, and no large picture."""
    PICTURE = "picture"
    """Most of it is a picture, and there is little or no text."""
    NO_MEANING = "no_meaning"
    """Its text layer has codes in place of characters."""


@dataclass(frozen=True, slots=True)
class TextFacts:
    """Counts of a text: characters but spaces, those that are `odd`, among them ASCII's `controls`; letters of ASCII,
    among them the vowels. `odd_word`: a whole word is odd.
    """

    characters: int
    odd: int
    controls: int
    letters: int
    vowels: int
    odd_word: bool

    @classmethod
    def of(cls, text: str) -> "TextFacts":
        """Count a text."""
        odd = len(ODD.findall(text))
        plain = text.encode("ascii", "ignore")
        letters = plain.translate(None, NO_LETTERS)
        return cls(
            characters=len(text) - sum(map(text.count, SPACES)),
            odd=odd,
            controls=len(plain) - len(plain.translate(None, CONTROLS)),
            letters=len(letters),
            vowels=len(letters) - len(letters.translate(None, VOWELS)),
            odd_word=odd > 0 and ODD_RUN.search(text) is not None,
        )

    @property
    def has_codes(self) -> bool:
        """Whether the characters are codes of which a font's map is missing."""
        shares = ((self.odd, ODD_SHARE), (self.controls, CONTROL_SHARE))
        return self.odd_word or any(count > share * self.characters for count, share in shares)

    @property
    def has_few_vowels(self) -> bool:
        """Whether no language has such letters: codes that look like letters, or abbreviations."""
        return self.letters >= FEWEST_LETTERS and self.vowels < FEW_VOWELS * self.letters

    @property
    def needs_a_look(self) -> bool:
        """Whether the page's other facts matter; for most pages they do not, and are not collected."""
        return self.characters < SHORT or self.odd > 0 or self.has_few_vowels


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page's judgement depends on.

    `pictures` and `written` are the shares of its area, 0 to 1, under pictures and under text. `hidden`: it has unseen
    text, which an earlier OCR put over its scan. `unmapped`: a font of it has no map from codes to characters.
    """

    text: TextFacts
    pictures: float = 0.0
    written: float = 0.0
    hidden: bool = False
    unmapped: bool = False


def doubt_of(facts: PageFacts) -> Doubt | None:
    """Return why a page needs OCR; None for a page whose text layer has its text."""
    text = facts.text
    if not text.characters:
        return Doubt.PICTURE if facts.pictures >= PICTURED else Doubt.NO_TEXT
    if text.has_codes or (text.has_few_vowels and facts.unmapped):
        return Doubt.NO_MEANING
    if facts.hidden or text.characters >= SHORT or facts.written >= WRITTEN:
        return None
    return Doubt.PICTURE if facts.pictures >= (PICTURED if text.characters < BARE else SCANNED) else None


def share_under(boxes: Iterable[Box], width: float, height: float) -> float:
    """Return the share of a page of this size that lies under the boxes; what several of them cover counts once."""
    if width <= 0 or height <= 0:
        return 0.0
    rows = [0] * GRID  # a bit for each cell
    for left, top, right, bottom in boxes:
        first, last = _cells(left, right, width)
        bits = (1 << last) - (1 << first) if last > first else 0
        for row in range(*_cells(top, bottom, height)):
            rows[row] |= bits
    return sum(row.bit_count() for row in rows) / GRID**2


def _cells(start: float, end: float, whole: float) -> tuple[int, int]:
    """Return the cells whose middle lies between start and end; at least one of a strip on the page."""
    low, high = max(0.0, start) * GRID / whole, min(whole, end) * GRID / whole
    if not low < high:  # off the page, or not a number
        return 0, 0
    first, last = round(low), round(high)
    return (first, last) if first < last else (int(low), min(GRID, int(low) + 1))


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A line of the text layer and its box in points, as the page is shown. `odd`: its font has no characters."""

    text: str
    box: Box
    odd: bool = False
