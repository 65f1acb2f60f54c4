"""The text layer of a page and the OCR of the same page as one text, in which nothing stands twice. Pure geometry.

The text layer leads: it is exact. OCR adds the words that it found elsewhere. Where the layer has codes in place of
characters, OCR leads, and the codes stay only where it read nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from services.worker.ocr.contract import Recognised
from services.worker.ocr.lines import TextLine, Turn, Word
from services.worker.ocr.reading_order import rows_of, text_of
from services.worker.pages.text_layer import LayerLine

SLACK = 0.3  # of a line's height: by so much the place of a recognised word is uncertain
LEAST = 0.5  # of a score: less is what a photograph gives
TOUCHED = 0.2  # of the area of a line of codes: OCR has read it


def merged(found: Recognised, layer: Sequence[LayerLine], zoom: float) -> Recognised | None:
    """Return the text of both, with the lines of OCR alone; None if OCR adds nothing.

    `zoom` is the size of a point of the page in pixels of the image.
    """
    turn = Turn(found.turned)
    sound = [_line(line, zoom, turn) for line in layer if not line.odd]
    added = [part for line in found.lines if line.score >= LEAST for part in _without(line, sound)]
    if not added:
        return None
    codes = [_line(line, zoom, turn) for line in layer if line.odd]
    unread = [line for line in codes if _under(line, added) < TOUCHED]
    characters = sum(len(line.text) for line in added)
    score = sum(line.score * len(line.text) for line in added) / characters
    return replace(found, text=text_of(rows_of([*sound, *unread, *added])), score=score, lines=tuple(added))


def _line(line: LayerLine, zoom: float, turn: Turn) -> TextLine:
    """Return a line of the layer, upright in pixels."""
    left, top, right, bottom = (zoom * edge for edge in line.box)
    seen = [turn.upright(corner) for corner in ((left, top), (right, top), (right, bottom), (left, bottom))]
    across, along = [x for x, _ in seen], [y for _, y in seen]
    text = line.text.strip()
    return TextLine(text, 1.0, min(across), min(along), max(across), max(along))


def _without(line: TextLine, sound: Sequence[TextLine]) -> list[TextLine]:
    """Return what is left of a recognised line without the words that the layer has: a line for each gap."""
    words = line.words or (line,)
    runs = groupby(words, key=lambda word: any(_holds(other, word) for other in sound))
    left = [tuple(run) for is_held, run in runs if not is_held]
    if left == [words]:
        return [line]
    return [
        replace(line, text=" ".join(word.text for word in run), left=run[0].left, right=run[-1].right, words=run)
        for run in left
    ]


def _holds(line: TextLine, word: Word) -> bool:
    """Whether the middle of a word lies in a line, so that it is a word of the line."""
    middle, slack = (word.left + word.right) / 2, SLACK * line.height
    return line.left - slack <= middle <= line.right + slack and line.top <= word.middle <= line.bottom


def _under(word: Word, others: Iterable[Word]) -> float:
    """Return the share of a box that others cover. They are lines, which do not overlap each other."""
    area = word.width * word.height
    return sum(_common(word, other) for other in others) / area if area > 0 else 0.0


def _common(one: Word, other: Word) -> float:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return width * height if width > 0 and height > 0 else 0.0
