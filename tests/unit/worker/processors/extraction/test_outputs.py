"""The parameter `output`: the document in the form that the job asks for, beside its text."""

import json
from pathlib import PurePath

import pytest

from schemas.document_json import DOCUMENT
from schemas.job_types.values import OUTPUT_FILES, OutputForm
from tests.support.files import office
from tests.support.runs import pdf as pdf_runs
from tests.support.runs.extraction import CHAPTERS, PAGE, Desk


@pytest.mark.parametrize("form", sorted(OUTPUT_FILES))
def test_a_document_is_written_in_the_form_that_is_asked_for(desk: Desk, form: OutputForm) -> None:
    path = desk.file("a.html", PAGE)
    plain, result = desk.run(path), desk.run(path, output=form)
    data = result.structured_data
    assert data["extracted_text"] == plain.structured_data["extracted_text"]
    assert "document" not in plain.structured_data
    name, _ = OUTPUT_FILES[form]
    content = pdf_runs.content(desk.place, name)
    value = data["document"]
    assert content.decode() == (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    assert {PurePath(place).name for place in result.assets} == {name, "text.md"}


def test_each_form_has_the_document_s_structure(desk: Desk) -> None:
    path = desk.file("a.html", PAGE)
    text, markdown, html, values = (
        desk.run(path, output=form).structured_data["document"] for form in ("text", "markdown", "html", "json")
    )
    assert "Name\tCost\nPipe\t3" in text
    assert "| Pipe | 3 |" in markdown
    assert "<tr><td>Pipe</td><td>3</td></tr>" in html
    assert "<title>Weekly notes</title>" in html
    document = DOCUMENT.validate_python(values)
    assert [block.kind.value for block in document.blocks][:4] == ["paragraph", "heading", "paragraph", "list_item"]


def test_blocks_know_their_chapter_slide_or_page(desk: Desk) -> None:
    book = office.epub(desk.folder / "a.epub", "A", CHAPTERS)
    slides = office.slides(desk.folder / "a.pptx", [("Start", "First", ""), ("End", "Bye", "")])
    pages = pdf_runs.scanned(desk.folder / "a.pdf", ["Scanned words", None])
    found = {path.suffix: desk.run(path, output="json").structured_data["document"] for path in (book, slides, pages)}
    assert [(block["kind"], block["page"]) for block in found[".epub"]["blocks"]] == [
        ("heading", 1),
        ("paragraph", 1),
        ("paragraph", 2),
    ]
    assert [block["text"] for block in found[".pptx"]["blocks"]] == ["Start", "First", "End", "Bye"]
    assert [block.get("origin") for block in found[".pdf"]["blocks"]] == ["ocr", None]
    assert found[".pdf"]["blocks"][0]["confidence"] > 0.8


def test_marks_in_the_text_are_escaped_in_markdown_that_is_asked_for(desk: Desk) -> None:
    path = desk.file("a.txt", "2019. *Not* a list\n\n# no heading")
    assert desk.run(path, output="markdown").structured_data["document"] == "2019\\. \\*Not\\* a list\n\n\\# no heading"


def test_a_markdown_file_has_its_own_structure(desk: Desk) -> None:
    path = desk.file("a.md", "# Plan\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    blocks = desk.run(path, output="json").structured_data["document"]["blocks"]
    assert [(block["kind"], block.get("level")) for block in blocks] == [
        ("heading", 1),
        ("list_item", 1),
        ("list_item", 2),
        ("table", None),
    ]
