"""Tesseract as the OCR of the `pdf` job, and its failures."""

import stat
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.pdf import texts as pdf_texts
from tests.support.runs.pdf import kept, run, scanned, workspace

TABLE = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program that answers as Tesseract does, first on the path."""
    program = folder / "bin" / "tesseract"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncd "{folder}"\n{script}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


LANGUAGES = 'if [ "$1" = --list-langs ]; then printf "List of languages (2):\\ndeu\\neng\\n"; exit 0; fi'


def table(*words: tuple[str, str, str, str, str]) -> str:
    """What Tesseract prints for words of (block, paragraph, line, certainty in percent, text)."""
    rows = [f"5\t1\t{block}\t{par}\t{at}\t1\t0\t0\t9\t9\t{conf}\t{text}" for block, par, at, conf, text in words]
    return "\n".join([TABLE, "1\t1\t0\t0\t0\t0\t0\t0\t9\t9\t-1\t", *rows]) + "\n"


def test_tesseract_reads_a_page_when_it_is_installed_and_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        ("1", "1", "1", "96.5", "Grüße"),
        ("1", "1", "1", "90.0", "aus"),
        ("1", "1", "2", "92.0", '"Köln"'),
        ("2", "1", "1", "-1", " "),
        ("2", "1", "1", "80.0", "Ende"),
    ]
    rows = [f"5\t1\t{block}\t{par}\t{at}\t1\t0\t0\t9\t9\t{conf}\t{text}" for block, par, at, conf, text in words]
    (tmp_path / "table.tsv").write_text("\n".join([TABLE, "1\t1\t0\t0\t0\t0\t0\t0\t9\t9\t-1\t", *rows]) + "\n")
    install(
        tmp_path, monkeypatch, f'{LANGUAGES}\necho "$@" > asked; head -c 2 > header; cat > /dev/null; cat table.tsv'
    )
    place = workspace(tmp_path)
    result, _ = run(place, scanned(tmp_path / "in" / "a.pdf", ["a"]), "ocr", ocr_engine="tesseract")
    metadata = result.structured_data["metadata"]
    assert metadata["text_contents"][0]["text"] == 'Grüße aus\n"Köln"\n\nEnde'
    assert metadata["text_contents"][0]["score"] == pytest.approx(
        (96.5 * 5 + 90 * 3 + 92 * 6 + 80 * 4) / 1800, abs=1e-4
    )
    assert metadata["ocr_engine"] == "tesseract"
    assert (tmp_path / "asked").read_text().split() == ["stdin", "stdout", "-l", "deu+eng", "--dpi", "200", "tsv"]
    assert (tmp_path / "header").read_text() == "P6"


def test_uncertain_text_is_kept_and_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.tsv").write_text(table(("1", "1", "1", "51", "x8$"), ("1", "1", "1", "60", "Tq")))
    install(tmp_path, monkeypatch, f"{LANGUAGES}\ncat > /dev/null; cat table.tsv")
    place = workspace(tmp_path)
    result, _ = run(place, scanned(tmp_path / "in" / "a.pdf", ["a", "b"]), "ocr", ocr_engine="tesseract", page_start=2)
    (warning,) = result.structured_data["metadata"]["warnings"]
    assert warning == "OCR is uncertain about page 2: the mean score there is below 0.80."
    assert result.notes == (warning,)
    assert result.structured_data["extracted_text"] == "--- Seite 2 ---\nx8$ Tq"


def refused(tmp_path: Path, **limits: str) -> ProcessingError:
    place = workspace(tmp_path, **limits)
    path = scanned(tmp_path / "in" / "a.pdf", ["a"])
    with pytest.raises(ProcessingError) as caught:
        run(place, path, "ocr", ocr_engine="tesseract")
    assert caught.value.code is ErrorCode.OCR_PROVIDER_UNAVAILABLE
    assert not caught.value.retryable
    assert kept(place) == []
    return caught.value


def test_a_missing_tesseract_fails_the_job_with_an_instruction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install it" in refused(tmp_path).message


def test_a_language_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, LANGUAGES)
    error = refused(tmp_path, ocr_languages="deu+fra+ita")
    assert "fra, ita" in error.message
    assert "PIPEROLL_OCR_LANGUAGES" in error.message


def test_a_failure_of_tesseract_has_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, f"{LANGUAGES}\ncat > /dev/null; echo 'no memory left' >&2; exit 3")
    message = refused(tmp_path).message
    assert "exit code 3" in message
    assert "no memory left" in message


def test_a_document_of_which_nothing_can_be_read_is_invalid() -> None:
    broken = pdf_texts.Texts("ocr", broken=[1, 2])
    with pytest.raises(ProcessingError) as caught:
        pdf_texts.require_some([broken])
    assert caught.value.code is ErrorCode.INVALID_PDF
