"""RapidOCR with the models of its wheel: offline, for German and English; loaded at a child's first page.

Detection, which is cheap, finds lines that run in any direction. So the page's turn comes from the boxes, and each
line is cut out upright. Only whether the page stands on its head is not seen in the boxes: the longest lines, read both
ways, show it.
"""

import math
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from services.worker.ocr.contract import Recognised
from services.worker.ocr.lines import ELONGATED, Point, TextLine, Turn, Word, corners, turn_of
from services.worker.ocr.reading_order import rows_of, text_of
from services.worker.pages.drawing import Pixels
from services.worker.run.memory import raise_if_memory

THINNEST = 32  # pixels: the detector's grid; a thinner image contains no readable line
DETECTED = 650_000  # pixels for detection: A4 at 82 DPI, where it finds every line of 6-point type
SPARSE = 290_000  # pixels of a second detection, A4 at 55 DPI: the first one can miss a single line on a large page
SPARSE_LINES = 8  # with more lines there is no second detection
SAMPLE: Final = 3  # lines that are read first, to see whether the page stands on its head
SURE: Final = 0.9  # a score of upright print; the same line upside down has 0.7 at most
BETTER: Final = 0.05  # the gain in score for which a page is turned
PARAMETERS = {
    "Global.log_level": "critical",  # it logs a warning for every page without text
    "Global.use_cls": False,  # its angle classifier turns upright lines upside down
    "Global.text_score": 0.0,  # uncertain lines are kept; the page's score shows it
    # Images have their final size already. Each of these would enlarge a narrow image without a bound.
    "Global.use_preprocess_img": False,
    "Global.use_vertical_padding": False,
    "Det.limit_type": "max",
    "Rec.rec_batch_num": 1,  # a batch is padded to its longest line, which costs time and 250 MiB on one core
    # A slot is one core; each further thread would reserve address space, which counts towards the memory cap.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}

Quad = Sequence[Point]


class _Read(NamedTuple):
    """What stands in a cut-out: its text, its score, and where each character but spaces is, from 0 to 1."""

    text: str
    score: float
    places: tuple[float, ...]


class _Found(NamedTuple):
    """The lines of an image and their turn."""

    lines: tuple[TextLine, ...]
    turn: Turn

    @property
    def characters(self) -> int:
        return sum(len(line.text) for line in self.lines)


def recognise(image: Pixels) -> Recognised:
    """Recognise one image; see `services.worker.ocr.contract.Engine`."""
    if min(image.width, image.height) < THINNEST:
        return Recognised(text="", score=None)
    found = _found(image, DETECTED)
    if len(found.lines) <= SPARSE_LINES and image.width * image.height > SPARSE:
        found = max(found, _found(image, SPARSE), key=lambda one: one.characters)
    weighted = sum(line.score * len(line.text) for line in found.lines)
    score = weighted / found.characters if found.characters else None
    rows = rows_of(found.lines)
    return Recognised(text_of(rows), score, tuple(line for row in rows for line in row), found.turn.degrees)


def _found(image: Pixels, detected: int) -> _Found:
    """Return the lines of an image: detected in `detected` pixels, recognised in full size."""
    numpy = import_module("numpy")
    rgb = numpy.frombuffer(image.rgb, dtype=numpy.uint8).reshape(image.height, image.width, 3)
    pixels = numpy.ascontiguousarray(rgb[:, :, ::-1])  # the models are trained on blue, green, red
    long, short = max(image.width, image.height), min(image.width, image.height)
    try:
        quads = _detect(pixels, round(math.sqrt(detected * long / short)))
        return _read_lines(pixels, quads)
    except Exception as error:
        raise_if_memory(error)
        raise


def _detect(pixels: Any, side: int) -> list[Quad]:
    """Return the corners of the lines, found in an image with this longest side."""
    model = _model()
    model.cfg.Det.limit_side_len = side
    if model.text_det is not None:
        model.text_det.limit_side_len = side
    boxes = model(pixels, use_det=True, use_rec=False, use_cls=False).boxes
    return [] if boxes is None else [[(float(x), float(y)) for x, y in box] for box in boxes]


def _read_lines(pixels: Any, quads: list[Quad]) -> _Found:
    turn = turn_of(quads)
    longest = sorted(quads, key=_longest_side, reverse=True)
    sample, rest = longest[:SAMPLE], longest[SAMPLE:]
    read = [_line(pixels, quad, turn) for quad in sample]
    if _mean(read) < SURE:
        overhead = [_line(pixels, quad, turn.opposite()) for quad in sample]
        if _mean(overhead) > _mean(read) + BETTER:
            turn, read = turn.opposite(), overhead
    read += [_line(pixels, quad, turn) for quad in rest]
    return _Found(tuple(line for line in read if line.text), turn)


def _mean(lines: list[TextLine]) -> float:
    return sum(line.score for line in lines) / len(lines) if lines else 1.0


def _longest_side(quad: Quad) -> float:
    return max(math.dist(quad[0], quad[1]), math.dist(quad[0], quad[3]))


def _line(pixels: Any, quad: Quad, turn: Turn) -> TextLine:
    """Return the line in a box, with the boxes of its words."""
    ordered = corners(quad, turn)
    seen = [turn.upright(point) for point in ordered]
    left, right = min(x for x, _ in seen), max(x for x, _ in seen)
    top, bottom = min(y for _, y in seen), max(y for _, y in seen)
    read = _read_cut(_cut(pixels, ordered))
    words = _words(read, left, top, right, bottom)
    return TextLine(read.text, read.score, left, top, right, bottom, words)


def _cut(pixels: Any, quad: Quad) -> Any:
    """Cut a line out of the image, upright."""
    cv2, numpy = import_module("cv2"), import_module("numpy")
    width = max(1, int(max(math.dist(quad[0], quad[1]), math.dist(quad[3], quad[2]))))
    height = max(1, int(max(math.dist(quad[0], quad[3]), math.dist(quad[1], quad[2]))))
    target = numpy.float32([(0, 0), (width, 0), (width, height), (0, height)])
    matrix = cv2.getPerspectiveTransform(numpy.float32(quad), target)
    how = {"borderMode": cv2.BORDER_REPLICATE, "flags": cv2.INTER_CUBIC}
    return cv2.warpPerspective(pixels, matrix, (width, height), **how)


def _read_cut(cut: Any) -> _Read:
    """Read a cut-out. One that is higher than wide is a letter, or a line across the page, which is tried both ways."""
    read = _recognise(cut)
    height, width = cut.shape[:2]
    if height < ELONGATED * width or read.score >= SURE:
        return read
    numpy = import_module("numpy")
    for quarters in (1, 3):
        turned = _recognise(numpy.ascontiguousarray(numpy.rot90(cut, quarters)))
        if turned.score > read.score + BETTER:
            read = turned._replace(places=())  # its characters are one above the other
    return read


def _recognise(cut: Any) -> _Read:
    found = _model()(cut, use_det=False, use_rec=True, use_cls=False, return_word_box=True)
    if not found.txts:
        return _Read("", 0.0, ())
    text, score, info = found.txts[0].strip(), float(found.scores[0]), found.word_results[0]
    columns = [column for word in info.word_cols or () for column in word]
    return _Read(text, score, tuple((column + 0.5) / info.line_txt_len for column in columns))


def _words(read: _Read, left: float, top: float, right: float, bottom: float) -> tuple[Word, ...]:
    """Return the words of a line; the line as one word if the places of its characters are unknown."""
    tokens = read.text.split()
    if not tokens:
        return ()
    if sum(map(len, tokens)) != len(read.places):
        return (Word(read.text, read.score, left, top, right, bottom),)
    words, start, width = [], 0, right - left
    half = 0.5 / max(1, len(read.text))  # of a character, on average
    for token in tokens:
        first, last = read.places[start], read.places[start + len(token) - 1]
        start += len(token)
        begin, end = max(0.0, first - half), min(1.0, last + half)
        words.append(Word(token, read.score, left + width * begin, top, left + width * end, bottom))
    return tuple(words)


@cache
def _model() -> Any:
    import_module("cv2").setNumThreads(1)
    return import_module("rapidocr").RapidOCR(params=PARAMETERS)
