"""Presentations: what a slide shows, in reading order; one odd shape costs no other one."""

from pathlib import Path

import pptx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pptx.util import Inches

from tests.support.files import office, ooxml
from tests.support.files.ooxml import deck, drawn, frame, shape
from tests.support.runs.extraction import Desk

KINDS = ("barChart", "area3DChart", "surfaceChart", "stockChart", "ofPieChart", "bubbleChart", "radarChart", "newChart")


def contents(desk: Desk, path: Path) -> list[str]:
    return [entry["content"] for entry in desk.run(path).structured_data["metadata"]["text_contents"]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_chart_of_any_kind_gives_its_title_and_numbers(desk: Desk, kind: str) -> None:
    chart = ooxml.chart(kind, "Sales", ["Q1", "Q2"], {"North": [1.5, 2], "South": [3, 4]})
    path = deck(desk.folder / "a.pptx", [frame(ooxml.CHART)], [("chart", "chart", "c.xml")], {"c.xml": chart})
    assert desk.text(path) == "Sales\n\n|  | North | South |\n| --- | --- | --- |\n| Q1 | 1.5 | 3 |\n| Q2 | 2 | 4 |"


def test_smartart_keeps_the_order_of_its_points(desk: Desk) -> None:
    parts = {"d.xml": ooxml.diagram("Collect", "Review", "Publish")}
    path = deck(desk.folder / "a.pptx", [frame(ooxml.DIAGRAM)], [("diagram", "diagramData", "d.xml")], parts)
    result = desk.run(path)
    assert (result.structured_data["extracted_text"], result.notes) == ("- Collect\n- Review\n- Publish", ())


def test_of_alternatives_one_is_read(desk: Desk) -> None:
    def both(choice: str, fallback: str) -> str:
        branches = f"<mc:Choice Requires='a14'>{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
        return f"<mc:AlternateContent>{branches}</mc:AlternateContent>"

    assert desk.text(deck(desk.folder / "a.pptx", [both(shape("words"), shape("words"))])) == "words"
    assert desk.text(deck(desk.folder / "b.pptx", [both("<p:pic/>", shape("words"))])) == "words"


def test_texts_are_read_by_rows_from_the_top(desk: Desk) -> None:
    far = 1_000_000
    shapes = [
        shape("right below", top=5 * far, left=far),
        shape("left", top=far + 9_000, left=0),
        shape("right", top=far, left=far),
        shape("Title", placeholder="title", top=9 * far),
    ]
    assert desk.text(deck(desk.folder / "a.pptx", ["".join(shapes)])) == "# Title\n\nleft\n\nright\n\nright below"


def test_groups_within_groups_are_read(desk: Desk) -> None:
    grouped = f"<p:grpSp><p:grpSpPr/>{shape('a')}<p:grpSp><p:grpSpPr/>{shape('b')}</p:grpSp></p:grpSp>"
    assert desk.text(deck(desk.folder / "a.pptx", [grouped])) == "a\n\nb"


def test_merged_cells_keep_the_columns(desk: Desk) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(3, 3, Inches(1), Inches(1), Inches(4), Inches(2)).table
    for row in range(3):
        for column in range(3):
            table.cell(row, column).text = f"{row}{column}"
    table.cell(1, 0).text, table.cell(2, 0).text, table.cell(0, 1).text, table.cell(0, 2).text = "EU", "", "wide", ""
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    path = desk.folder / "a.pptx"
    presentation.save(str(path))
    assert desk.text(path) == "| 00 | wide |  |\n| --- | --- | --- |\n| EU | 11 | 12 |\n|  | 21 | 22 |"


def test_a_picture_as_title_costs_nothing(desk: Desk) -> None:
    picture = '<p:pic><p:nvPicPr><p:cNvPr id="3" name="x"/><p:nvPr><p:ph type="title"/></p:nvPr></p:nvPicPr></p:pic>'
    assert contents(desk, deck(desk.folder / "a.pptx", [picture + shape("one"), shape("two")])) == ["one", "two"]


@pytest.mark.parametrize("broken", [frame('<c:chart r:id="none"/>'), frame('<dgm:relIds r:dm="none"/>')])
def test_a_part_that_is_missing_becomes_a_note_and_the_rest_is_read(desk: Desk, broken: str) -> None:
    result = desk.run(deck(desk.folder / "a.pptx", [broken + shape("kept"), shape("next")]))
    assert result.structured_data["extracted_text"] == "kept\n\nnext"
    assert len(result.notes) == 1
    assert result.notes[0].endswith("slide 1 could not be read.")


def test_a_slide_that_is_missing_or_broken_leaves_the_others(desk: Desk) -> None:
    path = deck(desk.folder / "a.pptx", [shape("one"), shape("two"), shape("three")])
    office.put(path, "ppt/slide2.xml", b"no XML at all")
    result = desk.run(path)
    assert [entry["content"] for entry in result.structured_data["metadata"]["text_contents"]] == ["one", "", "three"]
    assert result.notes == ("Slide 2 could not be read.",)
    assert result.pages == 3


def test_hidden_slides_are_read_and_named(desk: Desk) -> None:
    path = deck(desk.folder / "a.pptx", [shape("seen"), shape("secret")])
    office.rewrite(path, "ppt/slide2.xml", b"<p:sld ", b'<p:sld show="0" ')
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "seen\n\nsecret"
    assert result.notes == ("Slide 2 is hidden when the presentation is shown.",)


def test_comments_of_both_forms_have_their_authors(desk: Desk) -> None:
    old = ooxml.element("p:cmLst", '<p:cm authorId="1"><p:text>shorter please</p:text></p:cm>')
    body = f"<p188:txBody>{drawn('agreed')}</p188:txBody>"
    new = ooxml.element("p188:cmLst", f'<p188:cm authorId="g"><p188:txBody>{drawn("why")}</p188:txBody><p188:replyLst>'
                        f'<p188:reply authorId="g">{body}</p188:reply></p188:replyLst></p188:cm>')  # fmt: skip
    path = deck(desk.folder / "a.pptx", [shape("x")], [("1", "comments", "1.xml"), ("2", "comments", "2.xml")],
                {"1.xml": old, "2.xml": new})  # fmt: skip
    links = [("s1", "slide", "slide1.xml"), ("a", "commentAuthors", "a.xml"), ("b", "authors", "b.xml")]
    office.put(path, "ppt/_rels/presentation.xml.rels", ooxml.rels(links).encode())
    office.put(path, "ppt/a.xml", ooxml.element("p:cmAuthorLst", '<p:cmAuthor id="1" name="Ann"/>').encode())
    office.put(path, "ppt/b.xml", ooxml.element("p188:authorLst", '<p188:author id="g" name="Ben"/>').encode())
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == (
        "x\n\n> **Comment:** Ann: shorter please\n\n> **Comment:** Ben: why\n\n> **Comment:** Ben: agreed"
    )
    assert result.notes == ()


def test_footers_come_once_and_the_numbers_of_slides_not_at_all(desk: Desk) -> None:
    number = shape("7", placeholder="sldNum").replace("<a:r>", '<a:fld type="slidenum">').replace("</a:r>", "</a:fld>")
    slides = [shape(text) + shape("Confidential", placeholder="ftr") + number for text in ("one", "two")]
    result = desk.run(deck(desk.folder / "a.pptx", slides))
    assert (result.structured_data["extracted_text"], result.notes) == ("one\n\nConfidential\n\ntwo", ())


def test_embedded_objects_are_named(desk: Desk) -> None:
    path = deck(desk.folder / "a.pptx", [frame('<p:oleObj progId="Excel.Sheet.12"/>')])
    assert desk.run(path).notes == ("An embedded object (Excel.Sheet.12) on slide 1 was not read.",)


WORD = st.text("abcdefghij", min_size=1, max_size=8)
ROWS = st.lists(st.lists(WORD, min_size=2, max_size=2), max_size=3)
SLIDE = st.tuples(WORD, st.lists(WORD, max_size=4), ROWS, st.text("xyz", max_size=5))
"""A title, text boxes, a table and notes."""


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(slides=st.lists(SLIDE, min_size=1, max_size=3))
def test_all_that_a_library_writes_is_read(
    desk: Desk, slides: list[tuple[str, list[str], list[list[str]], str]]
) -> None:
    presentation = pptx.Presentation()
    for title, texts, rows, notes in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = title  # type: ignore[union-attr]
        for number, text in enumerate(texts):
            box = slide.shapes.add_textbox(Inches(1), Inches(2 + number), Inches(2), Inches(1))
            box.text_frame.text = text
        if rows:
            table = slide.shapes.add_table(len(rows), 2, Inches(1), Inches(7), Inches(4), Inches(1)).table
            for row, values in enumerate(rows):
                for column, value in enumerate(values):
                    table.cell(row, column).text = value
        if notes:
            slide.notes_slide.notes_text_frame.text = notes  # type: ignore[union-attr]
    path = desk.folder / "a.pptx"
    presentation.save(str(path))
    result = desk.run(path)
    assert result.notes == ()
    for (title, texts, rows, notes), entry in zip(
        slides, result.structured_data["metadata"]["text_contents"], strict=True
    ):
        cells = [f"| {first} | {second} |" for first, second in rows]
        expected = [f"# {title}", *texts, *cells[:1], *(["| --- | --- |"] if cells else []), *cells[1:]]
        expected += [f"> **Note:** {notes}"] if notes else []
        assert [line for line in entry["content"].splitlines() if line] == expected


def test_headers_of_printed_notes_are_read(desk: Desk) -> None:
    notes = ooxml.element("p:notes", f"<p:cSld><p:spTree>{shape('Draft', placeholder='hdr')}"
                          f"{shape('say hello', placeholder='body')}</p:spTree></p:cSld>")  # fmt: skip
    result = desk.run(deck(desk.folder / "a.pptx", [shape("x")], [("n", "notesSlide", "n.xml")], {"n.xml": notes}))
    assert (result.structured_data["extracted_text"], result.notes) == ("x\n\n> **Note:** say hello\n\nDraft", ())
