"""Tesseract as a program: an image on standard input, a table of words on standard output (tesseract(1), TSV)."""

import csv
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import groupby

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import SCAN, Recognised
from services.worker.pages.drawing import Pixels
from services.worker.run.page_care import PageFailedError

PROGRAM = "tesseract"
TIMEOUT_S = 120.0  # a dense page takes 5 s
WORD_LEVEL = "5"
ERROR_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, its confidence in percent, and its paragraph and line."""

    text: str
    score: float
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
        """Recognise one image."""
        table = self._run(["stdin", "stdout", "-l", self._languages, "--dpi", str(SCAN.dpi), "tsv"], _ppm(image))
        words = list(_words(table))
        characters = sum(len(word.text) for word in words)
        score = sum(word.score * len(word.text) for word in words) / (100 * characters) if characters else None
        text = _text(words)
        return Recognised(text=text, score=score, lines=sum(bool(line) for line in text.splitlines()))

    def _installed(self) -> set[str]:
        try:
            return set(self._run(["--list-langs"], b"").split("\n")[1:])
        except PageFailedError as error:
            raise _unavailable(f"Tesseract cannot list its languages on the worker: {error}.") from error

    def _run(self, arguments: list[str], given: bytes) -> str:
        try:
            ended = subprocess.run(
                [self._path, *arguments], input=given, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PageFailedError(f"it did not finish within {TIMEOUT_S:g} seconds") from error
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


def _words(table: str) -> Iterator[_Word]:
    for row in csv.DictReader(StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row["text"] or "").strip()
        if row["level"] == WORD_LEVEL and text:
            yield _Word(text, max(0.0, float(row["conf"])), (row["block_num"], row["par_num"]), row["line_num"])


def _text(words: list[_Word]) -> str:
    """Join words to lines, and paragraphs with an empty line between them."""
    paragraphs = []
    for _, inside in groupby(words, key=lambda word: word.paragraph):
        lines = groupby(inside, key=lambda word: word.line)
        paragraphs.append("\n".join(" ".join(word.text for word in line) for _, line in lines))
    return "\n\n".join(paragraphs)


def _unavailable(sentence: str) -> ProcessingError:
    return ProcessingError(ErrorCode.OCR_PROVIDER_UNAVAILABLE, sentence, retryable=False)
