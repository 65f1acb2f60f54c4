"""Reading a page with MuPDF's own calls, held against PyMuPDF's `get_text`."""

import pytest

from services.worker.pages import mupdf
from services.worker.pages.drawing import PREVIEW

pymupdf = mupdf.pymupdf

TWO_COLUMNS = "<p>First column, first paragraph.</p><p>A second one.</p><table><tr><td>a</td><td>b</td></tr></table>"
STRANGE = b"""/CIDInit /ProcSet findresource begin begincmap
1 begincodespacerange <00> <FF> endcodespacerange
4 beginbfchar <41> <00000041> <42> <D800> <43> <0041> <44> <D83DDE00> endbfchar
endcmap end"""
"""A font's map that makes A a NUL and an A, B half of a surrogate pair, C an A, D a character beyond U+FFFF."""


def page_of(draw):
    document = pymupdf.open()
    draw(document.new_page())
    return pymupdf.open("pdf", document.tobytes())


def paragraphs(page):
    page.insert_htmlbox((50, 50, 300, 400), TWO_COLUMNS)
    page.insert_text((320, 60), ["Right, above", "", "Right, below an empty line"])


def rotated(page):
    paragraphs(page)
    page.set_rotation(90)


def cropped(page):
    paragraphs(page)
    page.set_cropbox((0, 0, 200, 100))


def annotated(page):
    page.insert_text((72, 72), "The page itself")
    page.add_freetext_annot((72, 100, 300, 140), "A note upon it")
    field = pymupdf.Widget()
    field.field_type, field.field_name = pymupdf.PDF_WIDGET_TYPE_TEXT, "city"
    field.field_value, field.rect = "Bremen", pymupdf.Rect(72, 200, 300, 220)
    page.add_widget(field)


def many_scripts(page):
    page.insert_htmlbox((50, 50, 500, 400), "Größe — naïve — Ελλάδα — 東京 — שלום — سلام — 𝄞 \\ \\u0041 &lt;tag&gt;")


def illustrated(page):
    pixmap = pymupdf.Pixmap(pymupdf.csRGB, (0, 0, 8, 8))
    page.insert_image((50, 50, 150, 150), pixmap=pixmap)
    page.insert_text((72, 200), "Below the picture")


def empty(page):
    page.draw_rect((10, 10, 100, 100))


@pytest.mark.parametrize("draw", [paragraphs, rotated, cropped, annotated, many_scripts, illustrated, empty])
def test_a_pages_text_is_what_pymupdf_itself_makes_of_it(draw):
    with page_of(draw) as document:
        assert mupdf.page_text(document, 1) == document[0].get_text("text", flags=mupdf.TEXT_FLAGS)


def test_what_no_store_takes_becomes_one_replacement_character_each():
    with page_of(lambda page: page.insert_text((72, 72), "CACBCD")) as document:
        document = with_map(document, STRANGE)
        assert mupdf.page_text(document, 1) == "A\ufffdAA\ufffdA\U0001f600\n"


def test_a_tick_is_no_text_and_is_drawn_as_before_after_the_page_was_read():
    def ticked(page):
        page.insert_text((80, 62), "Widowed")
        field = pymupdf.Widget()
        field.field_type, field.field_name = pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "Widowed"
        field.field_value, field.rect = "Yes", pymupdf.Rect(50, 50, 62, 62)
        page.add_widget(field)

    with page_of(ticked) as document:
        before = mupdf.page_jpeg(document, 1, PREVIEW)
        with mupdf.unticked(document, document[0]):
            assert mupdf.page_jpeg(document, 1, PREVIEW) != before
        assert mupdf.page_text(document, 1) == "Widowed\n"
        assert mupdf.page_jpeg(document, 1, PREVIEW) == before


def with_map(document, cmap):
    """The document with a font whose codes have the meaning of `cmap`."""
    font = document[0].get_fonts()[0][0]
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, cmap)
    document.xref_set_key(font, "ToUnicode", f"{stream} 0 R")
    return pymupdf.open("pdf", document.tobytes())
