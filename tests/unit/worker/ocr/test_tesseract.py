"""How Tesseract ends: what fails the page, and what fails the job."""

import stat
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr import tesseract
from services.worker.pages.drawing import Pixels
from services.worker.run.page_care import PageFailedError

LISTS = "if [ \"$1\" = --list-langs ]; then printf 'List of languages (1):\\ndeu\\n'; exit 0; fi\n"
IMAGE = Pixels(2, 1, bytes(6))


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
