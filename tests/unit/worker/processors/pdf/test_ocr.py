"""Local OCR of the `pdf` job: scanned pages are read, umlauts are right."""

from importlib.metadata import distributions
from pathlib import Path

import pytest

from services.worker.ocr.contract import SCAN
from services.worker.pages.drawing import RenderFormat
from tests.support.runs.pdf import kept, run, scanned, typed, workspace

GERMAN = "Der Prüfungsausschuss tagte in Köln:\nÄrger über Öl, Größe der Straße 12,5 km."


def test_a_scanned_page_is_read_with_its_umlauts(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    result, reports = run(place, scanned(tmp_path / "in" / "a.pdf", [GERMAN]), "ocr")
    metadata = result.structured_data["metadata"]
    assert result.structured_data["extracted_text"] == f"--- Seite 1 ---\n{GERMAN}"
    (entry,) = metadata["text_contents"]
    assert (entry["page"], entry["method"], entry["content"], entry["text"]) == (1, "ocr", GERMAN, GERMAN)
    assert 0.95 < entry["score"] <= 1
    assert (metadata["extraction_method"], metadata["ocr_engine"], metadata["warnings"]) == ("ocr", "rapidocr", [])
    assert "ocr_text" not in result.structured_data
    assert reports.steps == ["initializing", "reading_file", "extracting_text", "finalizing"]
    assert kept(place) == []


def test_the_text_layer_alone_finds_nothing_in_a_scan(tmp_path: Path) -> None:
    result, _ = run(workspace(tmp_path), scanned(tmp_path / "in" / "a.pdf", [GERMAN]), "native")
    assert result.structured_data["metadata"]["text_contents"][0]["text"] == ""


def test_combined_keeps_both_texts_and_prefers_the_text_layer(tmp_path: Path) -> None:
    path = scanned(tmp_path / "in" / "a.pdf", [None, "Scanned page"])
    result, reports = run(workspace(tmp_path), path, "combined")
    data = result.structured_data
    assert data["extracted_text"] == "--- Seite 1 ---\nTyped page 1\n\n--- Seite 2 ---\nScanned page"
    assert data["ocr_text"] == "--- Seite 1 ---\nTyped page 1\n--- Seite 2 ---\nScanned page"
    entries = [(entry["page"], entry["method"], entry["text"].strip()) for entry in data["metadata"]["text_contents"]]
    assert entries == [
        *((1, "native", "Typed page 1"), (1, "ocr", "Typed page 1")),
        *((2, "native", ""), (2, "ocr", "Scanned page")),
    ]
    assert data["metadata"]["extraction_method"] == "combined"
    assert reports.percents == sorted(reports.percents)


def test_only_the_pages_asked_for_are_read(tmp_path: Path) -> None:
    path = scanned(tmp_path / "in" / "a.pdf", ["First page", "Second page", "Third page"])
    result, _ = run(workspace(tmp_path), path, "tesseract_ocr", page_start=2, page_end=2)
    assert result.structured_data["extracted_text"] == "--- Seite 2 ---\nSecond page"
    assert result.pages == 1


@pytest.mark.parametrize("text", ["Hello world", "Größe der Straße: Übermaß"])
def test_a_line_that_is_alone_on_a_large_page_is_found(tmp_path: Path, text: str) -> None:
    path = scanned(tmp_path / "in" / "a.pdf", [text], size=(595, 842))
    result, _ = run(workspace(tmp_path), path, "ocr")
    assert result.structured_data["metadata"]["text_contents"][0]["text"] == text


def test_a_long_narrow_page_is_read_to_its_end(tmp_path: Path) -> None:
    """A receipt: shrunk to a fixed longest side its lines would be specks."""
    items = [f"Artikel {number}  {number},99 EUR" for number in range(1, 41)]
    path = scanned(tmp_path / "in" / "a.pdf", ["\n\n".join(items)], size=(226, 1400))
    result, _ = run(workspace(tmp_path), path, "ocr")
    read = result.structured_data["metadata"]["text_contents"][0]["text"].split("\n")
    assert len(read) == len(items)
    assert "40,99" in read[-1]


@pytest.mark.parametrize("size", [(300, 300), (5, 3000), (3000, 5), (0.2, 0.2)])
def test_a_page_with_nothing_on_it_has_no_text_and_no_score(tmp_path: Path, size: tuple[float, float]) -> None:
    path = typed(tmp_path / "in" / "a.pdf", [""], size)
    result, _ = run(workspace(tmp_path), path, "ocr")
    (entry,) = result.structured_data["metadata"]["text_contents"]
    assert (entry["text"], "score" in entry) == ("", False)


@pytest.mark.parametrize(("width", "height"), [(595, 842), (10_000, 10_000), (200, 14_000), (14_400, 60)])
def test_a_page_for_ocr_is_never_drawn_larger_than_memory_allows(width: float, height: float) -> None:
    zoom = SCAN.zoom(width, height)
    assert zoom is not None
    assert width * height * zoom**2 <= SCAN.max_pixels * 1.001
    assert zoom <= 200 / 72


def test_a_look_without_shrinking_refuses_what_is_too_large() -> None:
    assert RenderFormat(quality=85, dpi=200).zoom(10_000, 10_000) is None
    assert RenderFormat(quality=85, dpi=200).zoom(595, 842) == pytest.approx(200 / 72)
    assert RenderFormat(quality=80, side=360).zoom(720, 100) == 0.5
    assert RenderFormat(quality=80, side=360).zoom(float("inf"), 100) is None
    assert RenderFormat(quality=80, side=360).zoom(0, 100) is None


def test_no_library_of_a_desktop_is_needed() -> None:
    """`opencv-python` wants libGL, which a server has not; with both installed, either may be the one imported."""
    installed = {distribution.name for distribution in distributions()}
    assert "opencv-python-headless" in installed
    assert not installed & {"opencv-python", "opencv-contrib-python"}
