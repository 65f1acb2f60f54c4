"""Files that the `extraction` processor refuses: passwords, damage, and more than the limits."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.extraction import office as extraction_office
from services.worker.processors.extraction import parts as extraction_parts
from tests.support.files import office
from tests.support.files import pdf as documents
from tests.support.runs.extraction import CHAPTERS, Desk


def test_an_office_file_with_a_password_is_refused_as_such(desk: Desk) -> None:
    assert desk.refused(desk.file("a.docx", office.encrypted_office())).code is ErrorCode.FILE_ENCRYPTED


def test_a_pdf_with_a_password_is_refused_as_such(desk: Desk) -> None:
    path = documents.pdf(desk.folder / "a.pdf", password="secret")
    assert desk.refused(path).code is ErrorCode.PDF_ENCRYPTED


def test_a_protected_epub_is_refused_as_such_and_scrambled_fonts_do_no_harm(desk: Desk) -> None:
    def encryption(uri: str) -> dict[str, str]:
        return {"META-INF/encryption.xml": f'<encryption><CipherReference URI="{uri}"/></encryption>'}

    locked = office.epub(desk.folder / "a.epub", "A", CHAPTERS, encryption("book/part%200.xhtml"))
    assert desk.refused(locked).code is ErrorCode.FILE_ENCRYPTED
    free = office.epub(desk.folder / "b.epub", "B", CHAPTERS, encryption("book/font.otf"))
    assert "farewell" in desk.text(free)


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.epub"])
def test_half_a_file_is_damaged(desk: Desk, name: str) -> None:
    path = sample(desk.folder / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert desk.refused(path).code is ErrorCode.INVALID_DOCUMENT


@pytest.mark.parametrize("folder", ["word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"])
def test_an_office_file_without_its_parts_is_damaged(desk: Desk, folder: str) -> None:
    path = desk.file("a", office.packed({"[Content_Types].xml": b"<Types/>", folder: b"<broken"}))
    assert desk.refused(path).code is ErrorCode.INVALID_DOCUMENT


def test_an_empty_file_is_refused(desk: Desk) -> None:
    assert desk.refused(desk.file("a.docx", b"")).message == "The file is empty."


def test_a_bomb_is_refused_before_it_is_opened(desk: Desk) -> None:
    assert desk.refused(office.bomb(desk.folder / "a.docx", 60 * 1024**2)).code is ErrorCode.FILE_TOO_LARGE


@pytest.mark.parametrize("name", ["a.pptx", "a.xlsx", "a.epub", "a.pdf"])
def test_the_limit_of_pages_is_one_of_slides_sheets_and_chapters_too(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path, max_pages=1)
    error = desk.refused(sample(desk.folder / name))
    assert error.code is ErrorCode.TOO_MANY_PAGES
    assert "at most 1 are allowed" in error.message


def test_too_much_text_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction_parts, "MAX_CHARACTERS", 20)
    assert desk.refused(sample(desk.folder / "a.epub")).code is ErrorCode.FILE_TOO_LARGE


def test_too_many_cells_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction_office, "MAX_CELLS", 3)
    error = desk.refused(office.sheets(desk.folder / "a.xlsx", {"A": [[1, 2], [3, 4]]}))
    assert error.code is ErrorCode.FILE_TOO_LARGE


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(desk: Desk) -> None:
    path = office.sheets(desk.folder / "a.xlsx", {"A": [["only"]]})
    office.rewrite(path, "xl/worksheets/sheet1.xml", b'ref="A1"', b'ref="A1:XFD1048576"')
    assert desk.text(path) == "## A\n\n| only |\n| --- |"


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.epub"])
def test_entities_of_a_document_are_not_expanded(desk: Desk, name: str) -> None:
    path = sample(desk.folder / name)
    part = {"a.docx": "word/document.xml", "a.pptx": "ppt/slides/slide1.xml", "a.xlsx": "xl/worksheets/sheet1.xml",
            "a.epub": "book/package.opf"}[name]  # fmt: skip
    office.put(path, part, office.laughing(office.member(path, part)))
    outcome = desk.outcome(path)
    if isinstance(outcome, ProcessingError):
        assert outcome.code is ErrorCode.INVALID_DOCUMENT
    else:
        assert len(outcome.structured_data["extracted_text"]) < 10_000


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.sampled_from(["a.docx", "a.pptx", "a.xlsx", "a.epub"]), data=st.data())
def test_whatever_is_wrong_inside_a_file_has_a_sentence(desk: Desk, name: str, data: st.DataObject) -> None:
    path = sample(desk.folder / name)
    part = data.draw(st.sampled_from(sorted(office.members(path))))
    content = bytearray(office.member(path, part))
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), min_size=1, max_size=5)):
        if content:
            content[place] = data.draw(st.integers(0, 255))
    office.put(path, part, bytes(content))
    outcome = desk.outcome(path)
    if isinstance(outcome, ProcessingError):
        assert outcome.code in (ErrorCode.INVALID_DOCUMENT, ErrorCode.UNSUPPORTED_FILE_TYPE, ErrorCode.FILE_ENCRYPTED)
        assert not outcome.retryable


def sample(path: Path) -> Path:
    """A file of the kind of its name, in two parts where it has parts."""
    match path.suffix:
        case ".docx":
            return office.word(path, "Title")
        case ".pptx":
            return office.slides(path, [("One", "first", "notes"), ("Two", "second", "")])
        case ".xlsx":
            return office.sheets(path, {"A": [["Item", 1.5]], "B": [["Item", 2]]})
        case ".epub":
            return office.epub(path, "Title", CHAPTERS)
    return documents.pdf(path, pages=2)


def test_the_sample_files_are_sound(desk: Desk) -> None:
    texts: list[Any] = [desk.text(sample(desk.folder / name)) for name in ("a.docx", "a.pptx", "a.xlsx", "a.epub")]
    assert all(texts)
