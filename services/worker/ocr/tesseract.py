"""Tesseract as a program: an image on standard input, a table of words on standard output (tesseract(1), TSV)."""

import csv
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from itertools import groupby
from typing import Final

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import SCAN, Recognised
from services.worker.ocr.lines import TextLine, Turn, Word
from services.worker.pages.drawing import Pixels
from services.worker.run.page_care import PageFailedError

PROGRAM = "tesseract"
TIMEOUT_S = 120.0  # a dense page takes 5 s
TURN_TIMEOUT_S = 40.0  # for each turned reading; all readings together take less than PIPEROLL_PAGE_TIMEOUT_S
WORD_LEVEL = "5"
ERROR_CHARS = 200
GARBAGE: Final = 0.6  # a page with a lower score is read turned, too
TURNS: Final = (180, 90, 270)  # clockwise, the likeliest first


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word, and its paragraph and line."""

    word: Word
    paragraph: tuple[str, str]
    line: str


class Tesseract:
    """The installed Tesseract with its languages. Raises ProcessingError OCR_PROVIDER_UNAVAILABLE."""

    def __init__(self, languages: str) -> None:
        path = shutil.which(PROGRAM)
        if path is None:
            raise _unavailable("Tesseract is not installed on the worker: install it (Debian: tesseract-ocr), or use "
                               'ocr_engine "rapidocr".')  # fmt: skip
        self._languages = languages
        self._path = path
        missing = set(languages.split("+")) - self._installed()
        if missing:
            names = ", ".join(sorted(missing))
            raise _unavailable(f"Tesseract on the worker lacks the languages {names}: install them (Debian: "
                               "tesseract-ocr-LANGUAGE), or change PIPEROLL_OCR_LANGUAGES.")  # fmt: skip

    def __call__(self, image: Pixels) -> Recognised:
        """Recognise one image; of its turns by quarters that with the best score, if the first one is poor.

        A hang or crash on a turned image leaves out that turn alone. Raises PageFailedError for the first reading.
        """
        found = self._read(image, Turn(), TIMEOUT_S)
        for degrees in TURNS if found.score is not None and found.score < GARBAGE else ():
            with suppress(PageFailedError):
                found = max(found, self._read(image, Turn(degrees), TURN_TIMEOUT_S), key=lambda one: one.score or 0)
        return found

    def _read(self, image: Pixels, turn: Turn, timeout_s: float) -> Recognised:
        upright = _upright(image, turn)
        arguments = ["stdin", "stdout", "-l", self._languages, "--dpi", str(SCAN.dpi), "tsv"]
        table = self._run(arguments, _ppm(upright), timeout_s)
        words = list(_words(table, _origin(image, turn)))
        characters = sum(len(one.word.text) for one in words)
        score = sum(one.word.score * len(one.word.text) for one in words) / characters if characters else None
        return Recognised(_text(words), score, tuple(_lines(words)), turn.degrees)

    def _installed(self) -> set[str]:
        try:
            return set(self._run(["--list-langs"], b"", TIMEOUT_S).split("\n")[1:])
        except PageFailedError as error:
            raise _unavailable(f"Tesseract cannot list its languages on the worker: {error}.") from error

    def _run(self, arguments: list[str], given: bytes, timeout_s: float) -> str:
        try:
            ended = subprocess.run(
                [self._path, *arguments], input=given, capture_output=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PageFailedError(f"it did not finish within {timeout_s:g} seconds") from error
        except OSError as error:
            raise _unavailable(f"Tesseract cannot be started on the worker: {error.strerror}.") from error
        if ended.returncode < 0:
            raise PageFailedError(f"it was ended by signal {-ended.returncode}")
        if ended.returncode:
            output = " ".join(ended.stderr.decode(errors="replace").split())[:ERROR_CHARS]
            raise _unavailable(f"Tesseract failed on the worker (exit code {ended.returncode}): {output}.")
        return ended.stdout.decode("utf-8", "replace")


def _ppm(image: Pixels) -> bytes:
    """Return the image as a portable pixmap (ppm(5)), which needs no compression."""
    return b"P6 %d %d 255\n" % (image.width, image.height) + image.rgb


def _upright(image: Pixels, turn: Turn) -> Pixels:
    """Return an image turned back, by quarters of a circle."""
    if not turn.degrees:
        return image
    numpy = import_module("numpy")
    rgb = numpy.frombuffer(image.rgb, dtype=numpy.uint8).reshape(image.height, image.width, 3)
    turned = numpy.rot90(rgb, round(turn.degrees / 90))
    return Pixels(turned.shape[1], turned.shape[0], turned.tobytes())


def _origin(image: Pixels, turn: Turn) -> tuple[float, float]:
    """Return where the top left corner of the image that was turned back is, upright (services.worker.ocr.lines)."""
    seen = [turn.upright(corner) for corner in ((0, 0), (image.width, image.height))]
    return min(x for x, _ in seen), min(y for _, y in seen)


def _words(table: str, origin: tuple[float, float]) -> Iterator[_Placed]:
    for row in csv.DictReader(StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row["text"] or "").strip()
        if row["level"] == WORD_LEVEL and text:
            left, top = origin[0] + float(row["left"]), origin[1] + float(row["top"])
            score = max(0.0, float(row["conf"])) / 100
            word = Word(text, score, left, top, left + float(row["width"]), top + float(row["height"]))
            yield _Placed(word, (row["block_num"], row["par_num"]), row["line_num"])


def _paragraphs(words: Sequence[_Placed]) -> Iterator[list[list[Word]]]:
    """Yield the lines of each paragraph as words."""
    for _, inside in groupby(words, key=lambda one: one.paragraph):
        yield [[one.word for one in line] for _, line in groupby(inside, key=lambda one: one.line)]


def _lines(words: Sequence[_Placed]) -> Iterator[TextLine]:
    for line in (line for paragraph in _paragraphs(words) for line in paragraph):
        yield TextLine(
            text=" ".join(word.text for word in line),
            score=sum(word.score for word in line) / len(line),
            left=min(word.left for word in line),
            top=min(word.top for word in line),
            right=max(word.right for word in line),
            bottom=max(word.bottom for word in line),
            words=tuple(line),
        )


def _text(words: Sequence[_Placed]) -> str:
    """Join words to lines, and paragraphs with an empty line between them."""
    paragraphs = ([" ".join(word.text for word in line) for line in paragraph] for paragraph in _paragraphs(words))
    return "\n\n".join("\n".join(lines) for lines in paragraphs)


def _unavailable(sentence: str) -> ProcessingError:
    return ProcessingError(ErrorCode.OCR_PROVIDER_UNAVAILABLE, sentence, retryable=False)
