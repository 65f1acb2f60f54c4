"""The `extraction` processor: metadata, files of the result, progress, and where a document is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from schemas.claims import Claim
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.extraction import ExtractionParameters
from schemas.pages import WORDS
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source, open_source
from services.worker.processors.extraction import processor
from services.worker.run.workspace import Workspace
from tests.support.files import office
from tests.support.files import pdf as documents
from tests.support.runs import pdf as pdf_runs
from tests.support.runs.extraction import PAGE, Desk


def test_the_metadata_is_what_lists_show(desk: Desk) -> None:
    path = documents.pdf(desk.folder / "Report 1.pdf", pages=2)
    result = desk.run(path)
    metadata = dict(result.structured_data["metadata"])
    assert metadata.pop("text_contents")[1] == {
        "page": 2,
        "content": "This is page 2.",
        "text": "This is page 2.",
        "method": "native",
    }
    assert metadata == {
        "fileName": "Report 1.pdf",
        "fileSize": path.stat().st_size,
        "mimeType": "application/pdf",
        "pageCount": 2,
        "pageUnit": "page",
        "extractionMethod": "native",
        "words": 8,
        "title": "",
        "warnings": [],
    }
    assert (result.bytes_in, dict(result.counts)) == (path.stat().st_size, {"words": 8})
    assert result.structured_data["title"] == "Report 1"


def test_the_text_is_kept_as_a_file_of_its_own(desk: Desk) -> None:
    desk.run(desk.file("a.html", PAGE))
    desk.run(desk.file("a.txt", "words"))
    assert pdf_runs.kept(desk.place) == ["text.md", "text.txt"]
    assert pdf_runs.content(desk.place, "text.txt") == b"words"


@pytest.mark.parametrize(("name", "shapes"), [("a.txt", True), ("a.html", True), ("a.docx", False)])
def test_what_a_server_declares_about_letters_shapes_texts_and_pages_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, shapes: bool
) -> None:
    files = {"a.txt": "words", "a.html": PAGE, "a.docx": office.word(desk.folder / "b.docx").read_bytes()}
    path = str(desk.file(name, files[name]))
    keys: list[dict[str, Any]] = []

    @contextmanager
    def opened(url: str, place: Workspace) -> Iterator[Source]:
        with open_source(path, place, b"") as source:
            yield replace(source, charset=url.rpartition("=")[2])

    def recall(parameters: Any, *, without: Any = (), **shaped_by: Any) -> None:
        keys.append(shaped_by)

    monkeypatch.setattr(processor, "open_url", opened)
    for charset in ("koi8-r", "iso-8859-2"):
        asked = ExtractionParameters(url=f"https://example.com/?charset={charset}")
        processor.process(asked, replace(desk.place, recall=recall), desk.reports)
    assert (keys[0] != keys[1]) is shapes


def test_progress_goes_through_its_steps_and_never_falls(desk: Desk) -> None:
    desk.run(documents.pdf(desk.folder / "a.pdf", pages=5))
    assert desk.reports.steps == ["initializing", "reading_file", "reading_document", "finalizing"]
    assert desk.reports.percents == sorted(desk.reports.percents)


def test_a_document_is_read_from_its_blob_under_its_own_name(desk: Desk) -> None:
    content = office.word(desk.folder / "a.docx").read_bytes()
    claim = desk.place.blobs.put("documents/doc-1", content, "application/octet-stream")
    result = desk.run_document(ResolvedDocument(document_id="doc-1", name="Plan.docx", content=claim))
    assert "Book the room" in result.structured_data["extracted_text"]
    assert result.structured_data["metadata"]["fileName"] == "Plan.docx"


def test_a_document_without_an_ending_is_read_by_its_media_type(desk: Desk) -> None:
    claim = desk.place.blobs.put("documents/doc-1", b"# Title", "text/markdown")
    result = desk.run_document(ResolvedDocument(document_id="doc-1", name="readme", content=claim))
    assert result.structured_data["title"] == "Title"


def test_a_document_that_was_removed_is_not_found(desk: Desk) -> None:
    gone = Claim(uri="documents/doc-1/gone", sha256="0" * 64, size=3)
    for resolved in (None, ResolvedDocument(document_id="doc-1", name="a.txt", content=gone)):
        with pytest.raises(ProcessingError) as caught:
            desk.run_document(resolved)
        assert (caught.value.code, caught.value.retryable) == (ErrorCode.FILE_NOT_FOUND, False)


def test_the_pages_of_a_pdf_are_drawn_on_demand_with_the_words_of_those_that_have_a_text_layer(desk: Desk) -> None:
    path = documents.pdf(desk.folder / "a.pdf", pages=2)
    result = desk.run(path, include_images=True)
    images = ["images/page_001.jpg", "images/page_002.jpg"]
    assert pdf_runs.kept(desk.place) == sorted([*images, "text.txt", "words/page_001.json", "words/page_002.json"])
    assert result.structured_data["metadata"]["image_paths"] == [f"{desk.place.target_dir}/{name}" for name in images]
    assert [word.text for word in WORDS.validate_json(pdf_runs.content(desk.place, "words/page_002.json"))] == [
        *("This", "is", "page", "2."),
    ]
    assert desk.reports.steps == ["initializing", "reading_file", "reading_document", "processing_images", "finalizing"]
    assert desk.reports.percents == sorted(desk.reports.percents)


def test_what_is_no_pdf_is_read_without_pictures_although_they_were_asked_for(desk: Desk) -> None:
    result = desk.run(desk.file("a.txt", "words"), include_images=True)
    assert result.structured_data["extracted_text"] == "words"
    assert pdf_runs.kept(desk.place) == ["text.txt"]
