"""The parameter `output` of the `pdf` job."""

from pathlib import Path

from schemas.document_json import DOCUMENT
from schemas.job_types.pdf import PDF
from tests.support.runs import pdf as pdf_runs


def test_a_pdf_is_written_with_the_pages_that_were_asked_for(tmp_path: Path) -> None:
    place = pdf_runs.workspace(tmp_path)
    path = pdf_runs.typed(tmp_path / "in" / "a.pdf", ["First page", "Second page", "Third page"])
    result, _ = pdf_runs.run(place, path, "native", output="html", page_start=2)
    html = result.structured_data["document"]
    assert '<section class="page" data-number="2">\n<p>Second page</p>\n</section>' in html
    assert "First page" not in html
    assert pdf_runs.content(place, "document.html").decode() == html


def test_blocks_name_their_page_and_where_their_text_comes_from(tmp_path: Path) -> None:
    place = pdf_runs.workspace(tmp_path)
    path = pdf_runs.scanned(tmp_path / "in" / "a.pdf", ["Scanned words", None])
    result, _ = pdf_runs.run(place, path, "both", output="json")
    document = DOCUMENT.validate_python(result.structured_data["document"])
    assert [(block.page, block.origin.value) for block in document.blocks] == [(1, "ocr"), (2, "native")]


def test_without_the_parameter_nothing_is_added(tmp_path: Path) -> None:
    place = pdf_runs.workspace(tmp_path)
    path = pdf_runs.typed(tmp_path / "in" / "a.pdf", ["Words"])
    result, _ = pdf_runs.run(place, path, "native")
    assert "document" not in result.structured_data
    assert result.assets == ()


def test_a_written_document_is_no_image_of_the_archive() -> None:
    result = {"structured_data": {}, "target_dir": "/t", "assets": ["/t/document.html", "/t/images/page_001.jpg"]}
    assert PDF.archive is not None
    archive = PDF.archive("job-1", result)
    assert archive is not None
    assert [entry.name for entry in archive.entries if entry.output] == ["images/page_001.jpg"]
    assert PDF.archive("job-1", result | {"assets": ["/t/document.html"]}) is None
