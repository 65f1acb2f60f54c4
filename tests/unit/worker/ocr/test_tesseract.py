"""How Tesseract ends: what fails the page, and what fails the job."""

import stat
from pathlib import Path

import pytest

from piperoll.settings import Settings
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr import tesseract
from services.worker.ocr.lines import Turn
from services.worker.pages.drawing import Pixels
from services.worker.run.page_care import PageFailedError

LISTS = "if [ \"$1\" = --list-langs ]; then printf 'List of languages (1):\\ndeu\\n'; exit 0; fi\n"
IMAGE = Pixels(2, 1, bytes(6))
HEADER = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program with this script before Tesseract."""
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("script", "words"), [("exec sleep 1000", "did not finish"), ("kill -ABRT $$", "signal 6")], ids=["hang", "crash"]
)
def test_a_hang_or_crash_fails_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    install(tmp_path, monkeypatch, LISTS + script)
    recognise = tesseract.Tesseract("deu")
    monkeypatch.setattr(tesseract, "TIMEOUT_S", 0.3)
    with pytest.raises(PageFailedError, match=words):
        recognise(IMAGE)


def test_an_error_of_tesseract_fails_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, LISTS + "echo no model >&2; exit 1")
    with pytest.raises(ProcessingError, match="exit code 1") as caught:
        tesseract.Tesseract("deu")(IMAGE)
    assert caught.value.code is ErrorCode.OCR_PROVIDER_UNAVAILABLE


def test_a_tesseract_that_crashes_at_once_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "kill -ABRT $$")
    with pytest.raises(ProcessingError) as caught:
        tesseract.Tesseract("deu")
    assert caught.value.code is ErrorCode.OCR_PROVIDER_UNAVAILABLE


def table(*words: tuple[int, int, str]) -> str:
    """What Tesseract prints for words of (left, certainty in percent, text), 10 pixels wide, on one line."""
    return HEADER + "".join(f"5\t1\t1\t1\t1\t1\t{left}\t40\t10\t8\t{conf}\t{text}\n" for left, conf, text in words)


def test_each_word_has_its_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "found.tsv").write_text(table((5, 90, "Pipe"), (20, 70, "Rolls")))
    install(tmp_path, monkeypatch, LISTS + f"cat > /dev/null; cat {tmp_path}/found.tsv")
    found = tesseract.Tesseract("deu")(Pixels(100, 60, bytes(18_000)))
    (line,) = found.lines
    assert (line.text, line.left, line.top, line.right, line.bottom) == ("Pipe Rolls", 5, 40, 30, 48)
    assert [(word.text, word.score, word.left) for word in line.words] == [("Pipe", 0.9, 5), ("Rolls", 0.7, 20)]


@pytest.mark.parametrize("degrees", tesseract.TURNS)
def test_a_page_with_a_poor_score_is_read_turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, degrees: int) -> None:
    """The program reads well only an image whose first pixel is white, as that of the test is after its turn."""
    (tmp_path / "good.tsv").write_text(table((5, 90, "Pipe")))
    (tmp_path / "bad.tsv").write_text(table((5, 30, "ad!d")))
    first = f"cat > {tmp_path}/seen; first=$(tail -c +{{start}} {tmp_path}/seen | head -c 3); "
    choose = first + "case $first in www) f=good;; *) f=bad;; esac"
    sides = (60, 100) if degrees % 180 else (100, 60)
    start = len(b"P6 %d %d 255\n" % sides) + 1
    install(tmp_path, monkeypatch, LISTS + choose.format(start=start) + f"; cat {tmp_path}/$f.tsv")
    corner = {180: 60 * 100 - 1, 90: 99, 270: 59 * 100}[degrees]  # where the first pixel is before the turn
    rgb = bytearray(100 * 60 * 3)
    rgb[3 * corner : 3 * corner + 3] = b"www"
    found = tesseract.Tesseract("deu")(Pixels(100, 60, bytes(rgb)))
    assert (found.text, found.turned) == ("Pipe", degrees)
    (line,) = found.lines
    x, y = Turn(found.turned).on_image((line.left, line.top))
    assert (x, y) == {180: (95, 20), 90: (60, 5), 270: (40, 55)}[degrees]


def test_a_poor_page_that_no_turn_betters_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.tsv").write_text(table((5, 30, "ad!d")))
    install(tmp_path, monkeypatch, LISTS + f"cat > /dev/null; cat {tmp_path}/bad.tsv")
    found = tesseract.Tesseract("deu")(IMAGE)
    assert (found.text, found.turned) == ("ad!d", 0)


@pytest.mark.parametrize("fault", ["exec sleep 1000", "kill -ABRT $$"], ids=["hang", "crash"])
@pytest.mark.parametrize(
    ("good", "text", "turned"), [(0, "ad!d", 0), (3, "Pipe", 90)], ids=["the first reading", "a later turn"]
)
def test_a_hang_or_crash_on_a_turned_page_costs_that_turn_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, good: int, text: str, turned: int
) -> None:
    """The first reading is poor, that of the first turn fails, and the `good`-th one is good."""
    (tmp_path / "good.tsv").write_text(table((5, 90, "Pipe")))
    (tmp_path / "bad.tsv").write_text(table((5, 30, "ad!d")))
    count = f"cat > /dev/null; echo >> {tmp_path}/readings; n=$(wc -l < {tmp_path}/readings)\n"
    choose = f"case $n in 2) {fault};; {good}) f=good;; *) f=bad;; esac; cat {tmp_path}/$f.tsv"
    install(tmp_path, monkeypatch, LISTS + count + choose)
    recognise = tesseract.Tesseract("deu")
    monkeypatch.setattr(tesseract, "TURN_TIMEOUT_S", 3.0)
    found = recognise(IMAGE)
    assert (found.text, found.turned) == (text, turned)


def test_all_readings_of_a_page_end_within_its_limit() -> None:
    longest = tesseract.TIMEOUT_S + len(tesseract.TURNS) * tesseract.TURN_TIMEOUT_S
    assert longest < Settings.model_fields["page_timeout_s"].default
