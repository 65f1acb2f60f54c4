"""The `extraction` processor on files made here: the text of every kind, its metadata, and every way a file is bad."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.claims import Claim
from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.extraction import office as extraction_office
from services.worker.processors.extraction import parts as extraction_parts
from services.worker.processors.extraction.markup import as_markdown
from tests.support.files import office
from tests.support.files import pdf as documents
from tests.support.runs import pdf as pdf_runs
from tests.support.runs.extraction import Desk

CHAPTERS = ["<h1>Arrival</h1><p>The ship <em>landed</em>.</p>", "<p>Grüße &amp; farewell</p><!-- unseen -->"]
PAGE = """<!doctype html><html><head><title>Weekly  notes</title><style>p {}</style></head><body>
<nav>Home</nav><h1>Pipes</h1><p>A <a href="https://example.com/a">link</a> &amp; <b>bold</b> words</p>
<script>unseen()</script><ul><li>one</li><li>two</li></ul>
<table><tr><th>Name</th><th>Cost</th></tr><tr><td>Pipe</td><td>3</td></tr></table>
<img src="data:image/png;base64,AAAA" alt="A drawing"></body></html>"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- what each kind gives -----------------------------------------------------------------------------------------


def test_a_word_document_keeps_headings_lists_and_tables(desk: Desk) -> None:
    path = office.word(desk.folder / "a.docx", "The minutes", "Decisions", ["Grüße an_alle *hier*"])
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == (
        "# Decisions\n\nGrüße an_alle *hier*\n\n- Book the room\n\n| Name | Task |\n| --- | --- |\n| Grace | Notes |"
    )
    assert result.structured_data["title"] == "The minutes"
    assert (result.pages, result.method) == (None, "native")


def test_a_presentation_gives_slides_with_notes(desk: Desk) -> None:
    path = office.slides(desk.folder / "a.pptx", [("Start", "First\nSecond", "Say hello"), ("End", "Bye", "")])
    result = desk.run(path)
    contents = [entry["content"] for entry in result.structured_data["metadata"]["text_contents"]]
    assert contents == ["# Start\n\nFirst\nSecond\n\n### Notes\n\nSay hello", "# End\n\nBye"]
    assert (result.structured_data["title"], result.pages) == ("Start", 2)
    assert ("reading_document", 60, "Reading slide 2 of 2", 2, 2) in desk.reports


def test_a_spreadsheet_gives_a_table_for_each_sheet(desk: Desk) -> None:
    rows = [
        ["Item", None, "Cost", "When"],
        ["Pipe|s", None, 3.5, datetime(2024, 5, 1, 9, 30)],
        [None],
        ["Two\nlines", None, 7.0, date(2024, 5, 2)],
        ["Paid", None, True],
    ]
    result = desk.run(office.sheets(desk.folder / "a.xlsx", {"Costs": rows, "Nothing": []}))
    assert result.structured_data["extracted_text"] == (
        "## Costs\n\n| Item | Cost | When |\n| --- | --- | --- |\n| Pipe\\|s | 3.5 | 2024-05-01 09:30:00 |\n"
        "| Two lines | 7 | 2024-05-02 |\n| Paid | TRUE |  |\n\n## Nothing"
    )
    assert result.pages == 2


def test_a_web_page_gives_all_that_is_seen_of_it(desk: Desk) -> None:
    result = desk.run(desk.file("a.html", PAGE))
    assert result.structured_data["extracted_text"] == (
        "Home\n\n# Pipes\n\nA [link](https://example.com/a) & **bold** words\n\n- one\n- two\n\n"
        "| Name | Cost |\n| --- | --- |\n| Pipe | 3 |\n\nA drawing"
    )
    assert result.structured_data["title"] == "Weekly notes"


def test_an_epub_gives_its_chapters_in_reading_order(desk: Desk) -> None:
    result = desk.run(office.epub(desk.folder / "a.epub", "A  voyage", CHAPTERS))
    contents = [entry["content"] for entry in result.structured_data["metadata"]["text_contents"]]
    assert contents == ["# Arrival\n\nThe ship *landed*.", "Grüße & farewell"]
    assert (result.structured_data["title"], result.pages) == ("A voyage", 2)


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("a.md", "# The *plan* #\n\nText\n", "The *plan*"),
        ("notes.txt", "# no title\n", "notes"),
        ("a.csv", "name;cost\nPipe;3\n", "a"),
        ("a.json", '{"name": "Größe"}\n', "a"),
        ("server.log", "started\n", "server"),
    ],
)
def test_a_text_file_is_kept_as_it_stands(desk: Desk, name: str, content: str, title: str) -> None:
    result = desk.run(desk.file(name, content))
    assert result.structured_data["extracted_text"] == content.strip()
    assert result.structured_data["title"] == title


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_umlauts_are_right_in_the_charsets_of_windows(desk: Desk, charset: str) -> None:
    path = desk.file("a.txt", "Größe\r\nMaß".encode(charset))
    assert desk.text(path) == "Größe\nMaß"
    assert bool(desk.run(path).notes) is (charset == "cp1252")


def test_a_page_s_own_charset_counts(desk: Desk) -> None:
    page = '<html><head><meta charset="iso-8859-2"></head><body>Łódź</body></html>'
    assert desk.text(desk.file("a.html", page.encode("iso-8859-2"))) == "Łódź"


def test_a_page_that_nests_too_deeply_gives_its_words(desk: Desk) -> None:
    result = desk.run(desk.file("a.html", "<html>" + "<div>" * 5000 + "deep <b>down</b>"))
    assert result.structured_data["extracted_text"] == "deep\ndown"
    assert "only its plain text" in result.notes[0]


def test_a_pdf_gives_its_pages_and_ocr_reads_those_without_text(desk: Desk) -> None:
    path = pdf_runs.scanned(desk.folder / "a.pdf", ["Scanned words", None])
    result = desk.run(path)
    data = result.structured_data
    assert data["extracted_text"] == "Scanned words\n\nTyped page 2"
    entries = [(entry["page"], entry["method"]) for entry in data["metadata"]["text_contents"]]
    assert entries == [(1, "rapidocr"), (2, "native")]
    assert data["metadata"]["text_contents"][0]["score"] > 0.8
    assert (result.method, result.pages) == ("native+rapidocr", 2)
    assert "OCR was used for page 1, without a text layer." in result.notes


def test_an_empty_page_of_a_pdf_does_no_harm(desk: Desk) -> None:
    result = desk.run(pdf_runs.typed(desk.folder / "a.pdf", ["One", ""]))
    assert (result.structured_data["extracted_text"], result.method, result.notes) == ("One", "native", ())


def test_a_book_that_lacks_chapters_gives_the_others_and_a_note(desk: Desk) -> None:
    path = office.epub(desk.folder / "a.epub", "A", CHAPTERS)
    office.rewrite(path, "book/package.opf", b"part%200", b"nowhere")
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "Grüße & farewell"
    assert result.notes == ("The book is incomplete: 1 of its chapters are missing.",)


def test_pictures_in_the_reading_order_of_a_book_are_not_chapters(desk: Desk) -> None:
    path = office.epub(desk.folder / "a.epub", "A", CHAPTERS)
    office.rewrite(path, "book/package.opf", b'<item id="c0"', b'<item id="c0" media-type="image/jpeg"')
    result = desk.run(path)
    assert (result.structured_data["extracted_text"], result.notes) == ("Grüße & farewell", ())


def test_a_document_whose_properties_are_damaged_keeps_its_text(desk: Desk) -> None:
    path = office.word(desk.folder / "a.docx", "Lost", "Heading")
    office.put(path, "docProps/core.xml", b"<broken")
    assert desk.run(path).structured_data["title"] == "Heading"


def test_a_file_without_text_gets_a_note(desk: Desk) -> None:
    result = desk.run(office.slides(desk.folder / "a.pptx", [("", "", "")]))
    assert (result.structured_data["extracted_text"], result.notes) == ("", ("There is no text in the file.",))


@pytest.mark.parametrize("odd", ['<ol start="²"><li>one</li></ol>', "<p>one</p><![odd", "<p>one</p><!DOCTYPE [<"])
def test_odd_marks_of_a_page_cost_no_words(desk: Desk, odd: str) -> None:
    assert "one" in desk.text(desk.file("a.html", f"<html>{odd}"))


@given(st.text(st.sampled_from(' <>!/-[]&;"=abcoltdrhp1²\n')))
def test_whatever_stands_in_a_page_has_a_text(html: str) -> None:
    assert isinstance(as_markdown(html).text, str)


# --- the result ---------------------------------------------------------------------------------------------------


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


# --- bad files ----------------------------------------------------------------------------------------------------


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
