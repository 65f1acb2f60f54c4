"""What MuPDF knows of a page's text layer besides its text: facts for `text_layer`, and lines with boxes.

Import this module in a child process only, as `mupdf`.
"""

from typing import Any

from services.worker.pages import mupdf
from services.worker.pages.pdfium import LITTLE, SecondReader
from services.worker.pages.text_layer import (
    PICTURED,
    Box,
    Doubt,
    LayerLine,
    PageFacts,
    TextFacts,
    doubt_of,
    share_under,
)
from services.worker.run.memory import raise_if_memory
from services.worker.run.page_care import at_page, skipped_pages

PICTURES = frozenset({"fill-image", "fill-imgmask"})
HIDDEN = "ignore-text"  # render mode 3 (ISO 32000-1, 9.3.6)


def text_of(document: Any, number: int, second: SecondReader) -> tuple[str | None, bool]:
    """Return the text of page `number` (from 1), None if it is broken or skipped, and whether PDFium read it.

    PDFium is asked where MuPDF reads little and has a reason: errors on the page, or layers that are hidden.
    """
    mupdf.pymupdf.TOOLS.reset_mupdf_warnings()
    text = mupdf.page_text(document, number)
    if mupdf.is_rewritten(document) or (text is not None and len(text) > LITTLE) or number in skipped_pages():
        return text, False
    if text is not None and not mupdf.pymupdf.TOOLS.mupdf_warnings(0) and not _has_hidden_layers(document):
        return text, False
    better = at_page("text", number, second.better, number, text)
    return (text, False) if better is None else (better, True)


def _has_hidden_layers(document: Any) -> bool:
    """Whether a layer is off when the document is opened (ISO 32000-1, 8.11.4.3)."""
    return any(not layer["on"] for layer in document.layer_ui_configs())


def doubt(document: Any, number: int, text: str) -> Doubt | None:
    """Return why page `number` (from 1) with this text needs OCR; None if it does not. Most pages cost only counts."""
    counted = TextFacts.of(text)
    if not counted.needs_a_look:
        return None
    facts = at_page("text", number, _facts, document, number, counted)
    return None if facts is None else doubt_of(facts)


def _facts(document: Any, number: int, text: TextFacts) -> PageFacts:
    try:
        page = document.load_page(number - 1)
        fonts = document.get_page_fonts(number - 1) if text.has_few_vowels else ()
        unmapped = any(_is_unmapped(document, font) for font in fonts)
        width, height = page.rect.width, page.rect.height
        pictures = share_under((one["bbox"] for one in page.get_image_info()), width, height)
        # The log has each stroke of a drawing, of which a page may have a million: only where a picture is large.
        drawn = page.get_bboxlog() if pictures >= PICTURED else ()
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return PageFacts(text)
    return PageFacts(
        text,
        pictures=share_under((box for kind, box in drawn if kind in PICTURES), width, height),
        written=share_under((box for kind, box in drawn if kind == "fill-text"), width, height),
        hidden=any(kind == HIDDEN for kind, _ in drawn),
        unmapped=unmapped,
    )


def _is_unmapped(document: Any, font: tuple[Any, ...]) -> bool:
    """Whether a font's codes are numbers of glyphs, without a map to characters (ISO 32000-1, 9.10.2)."""
    xref, _, kind, _, _, encoding = font[:6]
    if kind != "Type0" or not encoding.startswith("Identity"):
        return False
    return bool(document.xref_get_key(xref, "ToUnicode")[0] == "null")


def lines_of(document: Any, number: int) -> list[LayerLine]:
    """Return the lines of the text layer of page `number` (from 1); none of a page that is broken or skipped."""
    return at_page("text", number, _lines, document, number) or []


def _lines(document: Any, number: int) -> list[LayerLine]:
    try:
        page = document.load_page(number - 1)
        with mupdf.unticked(document, page):
            blocks = page.get_text("dict", flags=mupdf.TEXT_FLAGS)["blocks"]
    except mupdf.PAGE_ERRORS as error:
        raise_if_memory(error)
        return []
    lines = [line["spans"] for block in blocks for line in block.get("lines", ())]
    by_font: dict[str, list[str]] = {}
    for span in (span for spans in lines for span in spans):
        by_font.setdefault(span["font"], []).append(span["text"])
    facts = {font: TextFacts.of(" ".join(texts)) for font, texts in by_font.items()}
    odd = {font for font, counted in facts.items() if counted.has_codes or counted.has_few_vowels}
    return [line for spans in lines for line in _parts(spans, odd)]


def _parts(spans: list[dict[str, Any]], odd: set[str]) -> list[LayerLine]:
    """Return a line, divided where its fonts change between those with and without characters."""
    parts: list[LayerLine] = []
    for span in spans:
        is_odd, box, text = span["font"] in odd, tuple(span["bbox"]), span["text"]
        if parts and parts[-1].odd == is_odd:
            last = parts.pop()
            text, box = last.text + text, _around(last.box, box)
        parts.append(LayerLine(text, box, is_odd))
    return [part for part in parts if part.text.strip()]


def _around(one: Box, other: Box) -> Box:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
