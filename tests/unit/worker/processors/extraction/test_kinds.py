"""The `extraction` processor on files of every kind: their text."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.markup.page import read_page
from services.worker.run import page_care
from services.worker.run.page_care import PageStep
from tests.support.files import office
from tests.support.runs import pdf as pdf_runs
from tests.support.runs.extraction import CHAPTERS, PAGE, Desk


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
    assert contents == ["# Start\n\n- First\n- Second\n\n> **Note:** Say hello", "# End\n\n- Bye"]
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
        "## Costs\n\n| Item | Cost | When |\n| --- | --- | --- |\n| Pipe\\|s | 3.5 | 2024-05-01 9:30:00 |\n"
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


def test_a_page_that_nests_deeply_keeps_its_structure(desk: Desk) -> None:
    result = desk.run(desk.file("a.html", "<html>" + "<div>" * 5000 + "deep <b>down</b>"))
    assert (result.structured_data["extracted_text"], result.notes) == ("deep **down**", ())


def test_a_page_that_took_too_long_gives_its_words(desk: Desk) -> None:
    page_care.begin([PageStep("text", 1)])
    try:
        result = desk.run(desk.file("a.html", PAGE))
    finally:
        page_care.begin([])
    assert "A link & bold words" in result.structured_data["extracted_text"]
    assert "unseen" not in result.structured_data["extracted_text"]
    assert "structure of the page could not be read" in result.notes[0]


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
    assert isinstance(read_page(html).blocks, tuple)
