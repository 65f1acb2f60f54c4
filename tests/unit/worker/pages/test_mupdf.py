"""Reading a page with MuPDF's own calls, held against PyMuPDF's `get_text`."""

import pytest

from services.worker.pages import annotations, mupdf
from services.worker.pages.drawing import PREVIEW
from tests.support.files.forms import written

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


def ticked(page):
    page.insert_text((80, 62), "Widowed")
    field = pymupdf.Widget()
    field.field_type, field.field_name = pymupdf.PDF_WIDGET_TYPE_CHECKBOX, "Widowed"
    field.field_value, field.rect = "Yes", pymupdf.Rect(50, 50, 62, 62)
    page.add_widget(field)


def test_a_tick_is_no_text_and_is_drawn_as_before_after_the_page_was_read():
    with page_of(ticked) as document:
        before = mupdf.page_jpeg(document, 1, PREVIEW)
        with mupdf.unticked(document, document[0]):
            assert mupdf.page_jpeg(document, 1, PREVIEW) != before
        assert mupdf.page_text(document, 1) == "Widowed\n"
        assert mupdf.page_jpeg(document, 1, PREVIEW) == before


@pytest.mark.parametrize("appearance", ["/Helv 8,5 Tf", "/Helv 12pt Tf", "Tf", "g"])
def test_an_odd_default_appearance_costs_no_text_and_no_tick_is_read(appearance):
    def odd(page):
        written(f"/Subtype/Widget/FT/Tx/T(city)/V(Bremen)/DA({appearance})")(page)
        ticked(page)

    with page_of(odd) as document:
        assert mupdf.page_text(document, 1) == "Widowed\nBremen\n"
        fields = annotations.of_page(document, 1).fields
        assert [(one.name, one.value) for one in fields] == [("city", "Bremen"), ("Widowed", "yes")]


@pytest.mark.parametrize(("flags", "is_hidden"), [(0, True), (1 << 15, True), (1 << 16, False)])
@pytest.mark.parametrize("of_parent", [False, True])
def test_boxes_are_hidden_and_push_buttons_are_not(flags, is_hidden, of_parent):
    with page_of(lambda page: None) as document:
        kind = f"/FT/Btn/Ff {flags}"
        parent = document.get_new_xref()
        document.update_object(parent, f"<<{kind}>>")
        written(f"/Subtype/Widget{f'/Parent {parent} 0 R' if of_parent else kind}")(document[0])
        ((xref, _, _),) = document[0].annot_xrefs()
        with mupdf.unticked(document, document[0]):
            assert document.xref_get_key(xref, "F")[1] == ("6" if is_hidden else "4")
        assert document.xref_get_key(xref, "F")[1] == "4"


def with_map(document, cmap):
    """The document with a font whose codes have the meaning of `cmap`."""
    font = document[0].get_fonts()[0][0]
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, cmap)
    document.xref_set_key(font, "ToUnicode", f"{stream} 0 R")
    return pymupdf.open("pdf", document.tobytes())


def tilted(rotation):
    def draw(page):
        page.insert_text((100, 120), "Needle", fontsize=30)
        page.set_rotation(rotation)

    return draw


def cut_off(page):
    page.insert_text((100, 120), "Needle", fontsize=30)
    page.set_cropbox((50, 60, 400, 500))


def ink(document):
    """The box of what is not white in the picture of the first page, in parts of its size."""
    pixmap = document[0].get_pixmap(colorspace=pymupdf.csGRAY)
    dark = [at for at, value in enumerate(pixmap.samples) if value < 128]
    across, down = [at % pixmap.width for at in dark], [at // pixmap.width for at in dark]
    return (
        min(across) / pixmap.width,
        min(down) / pixmap.height,
        (max(across) + 1) / pixmap.width,
        (max(down) + 1) / pixmap.height,
    )


@pytest.mark.parametrize(
    "draw", [tilted(0), tilted(90), tilted(180), tilted(270), cut_off], ids=["upright", "90", "180", "270", "cropped"]
)
def test_the_box_of_a_word_is_around_its_ink_in_the_picture(draw):
    document = page_of(draw)
    [word] = mupdf.page_words(document, 1)
    left, top, right, bottom = ink(document)
    assert word.text == "Needle"
    assert word.left <= left + 0.01
    assert word.top <= top + 0.01
    assert word.right >= right - 0.01
    assert word.bottom >= bottom - 0.01
    assert (word.right - word.left) * (word.bottom - word.top) < 3 * (right - left) * (bottom - top)


def test_words_are_counted_by_line_and_of_a_page_without_text_there_are_none():
    assert {word.line for word in mupdf.page_words(page_of(paragraphs), 1)} >= {0, 1, 2}
    assert mupdf.page_words(page_of(empty), 1) == []
    assert next(word.text for word in mupdf.page_words(page_of(many_scripts), 1)) == "Größe"
