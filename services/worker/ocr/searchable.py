"""An invisible text layer for pages that were read by OCR, so that the PDF can be searched and copied from.

Each word is drawn in rendering mode 3, which shows nothing, over its place on the page (ISO 32000-1, 9.3.6). Its font
is made of widths and characters alone: PDF/A needs no embedded font where nothing is drawn (ISO 19005-2, 6.2.11.4).
Import this module in a child process only, as `mupdf`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from services.worker.ocr.lines import TextLine, Turn, Word
from services.worker.pages import mupdf
from services.worker.pages.drawing import POINTS_PER_INCH, Pixels
from services.worker.run.memory import raise_if_memory

FONT: Final = "PiperollOcr"
WIDTH: Final = 0.5  # of each character, in font sizes
DESCENT: Final = 0.2  # of a box's height below the base line
DEEPEST: Final = 50  # levels of the page tree
DESCRIPTOR: Final = (
    f"<</Type/FontDescriptor/FontName/{FONT}/Flags 4/FontBBox[0 -200 500 800]/ItalicAngle 0/Ascent 800/Descent -200"
    "/CapHeight 700/StemV 80>>"
)
DESCENDANT: Final = (
    f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{FONT}"
    "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/DW 500/CIDToGIDMap/Identity"
    "/FontDescriptor {} 0 R>>"
)
COMPOSITE: Final = (
    f"<</Type/Font/Subtype/Type0/BaseFont/{FONT}/Encoding/Identity-H/DescendantFonts[{{}} 0 R]/ToUnicode {{}} 0 R>>"
)
QUALITY: Final = 90  # of the JPEG of an image's page
PER_BLOCK: Final = 64  # ranges of a map; 100 are allowed


class TextLayer:
    """Adds the text of OCR to pages of an open PDF, which changes only in memory until it is saved."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._font: int | None = None

    def add(self, number: int, lines: tuple[TextLine, ...], turned: float, zoom: float) -> None:
        """Add lines to page `number` (from 1): their text is `turned`, and `zoom` pixels are a point of the page.

        Raises nothing for a page that is broken: it stays as it is.
        """
        try:
            page = self._document.load_page(number - 1)
            to_pdf = page.derotation_matrix * ~page.transformation_matrix
            drawn = "\n".join(_drawn(lines, Turn(turned), zoom, to_pdf))
            if drawn:
                self._append(page, f"q BT 3 Tr /{FONT} 1 Tf\n{drawn}\nET Q".encode())
        except mupdf.PAGE_ERRORS as error:
            raise_if_memory(error)

    def add_image(self, image: Pixels, lines: tuple[TextLine, ...], turned: float, dpi: int) -> None:
        """Add a page with an image of this resolution and its lines."""
        size = (image.width * POINTS_PER_INCH / dpi, image.height * POINTS_PER_INCH / dpi)
        page = self._document.new_page(width=size[0], height=size[1])
        pixmap = mupdf.pymupdf.Pixmap(mupdf.pymupdf.csRGB, image.width, image.height, image.rgb, False)
        page.insert_image(page.rect, stream=pixmap.tobytes("jpg", jpg_quality=QUALITY))
        self.add(self._document.page_count, lines, turned, dpi / POINTS_PER_INCH)

    def save(self, path: Path) -> bool:
        """Write the PDF with its metadata as it was, without encryption. Whether a damaged one can be written."""
        try:
            self._document.save(str(path), deflate=True, encryption=mupdf.pymupdf.PDF_ENCRYPT_NONE)
        except mupdf.PAGE_ERRORS as error:
            raise_if_memory(error)
            path.unlink(missing_ok=True)
            return False
        return True

    def _append(self, page: Any, content: bytes) -> None:
        document = self._document
        page.wrap_contents()  # what the page leaves in the state of graphics ends before the layer
        stream = document.get_new_xref()
        document.update_object(stream, "<<>>")
        document.update_stream(stream, content)
        streams = [*page.get_contents(), stream]
        document.xref_set_key(page.xref, "Contents", f"[{' '.join(f'{xref} 0 R' for xref in streams)}]")
        _own_resources(document, page.xref)
        xref, path = _followed(document, *_followed(document, page.xref, "Resources"), "Font")
        document.xref_set_key(xref, f"{path}/{FONT}".lstrip("/"), f"{self._font_of_layer()} 0 R")

    def _font_of_layer(self) -> int:
        if self._font is None:
            descriptor = self._object(DESCRIPTOR)
            descendant = self._object(DESCENDANT.format(descriptor))
            characters = self._object("<<>>")
            self._document.update_stream(characters, _to_unicode())
            self._font = self._object(COMPOSITE.format(descendant, characters))
        return self._font

    def _object(self, text: str) -> int:
        xref = int(self._document.get_new_xref())
        self._document.update_object(xref, text)
        return xref


def _drawn(lines: tuple[TextLine, ...], turn: Turn, zoom: float, to_pdf: Any) -> Iterator[str]:
    """Yield the operators that write each word, and a space behind it."""
    for line in lines:
        words = line.words or (line,)
        for word, following in zip(words, (*words[1:], None), strict=True):
            end = word.right if following is None else max(word.right, following.left)
            text = word.text if following is None else f"{word.text} "
            yield _word(word, text, end, turn, zoom, to_pdf)


def _word(word: Word, text: str, end: float, turn: Turn, zoom: float, to_pdf: Any) -> str:
    codes = text.encode("utf-16-be", "replace")
    base = word.bottom - DESCENT * word.height
    corners = ((word.left, base), (end, base), (word.left, base - word.height))
    places = [mupdf.pymupdf.Point(*turn.on_image(corner)) / zoom * to_pdf for corner in corners]
    along, up = (places[1] - places[0]) / (WIDTH * len(codes) / 2), places[2] - places[0]
    numbers = (along.x, along.y, up.x, up.y, places[0].x, places[0].y)
    return f"{' '.join(f'{number:.4f}' for number in numbers)} Tm <{codes.hex()}> Tj"


def _own_resources(document: Any, page: int) -> None:
    """Give a page the resources that it inherits, as its own would hide them (ISO 32000-1, 7.7.3.4)."""
    xref = page
    for _ in range(DEEPEST):
        kind, value = document.xref_get_key(xref, "Resources")
        if kind != "null":
            if xref != page:
                document.xref_set_key(page, "Resources", value)
            return
        kind, value = document.xref_get_key(xref, "Parent")
        if kind != "xref":
            return
        xref = int(value.split()[0])


def _followed(document: Any, xref: int, path: str, key: str = "") -> tuple[int, str]:
    """Return where a dictionary is, an object and a path in it: a referenced one is an object itself."""
    path = f"{path}/{key}".strip("/")
    kind, value = document.xref_get_key(xref, path)
    return (int(value.split()[0]), "") if kind == "xref" else (xref, path)


def _to_unicode() -> bytes:
    """Return the map of a font whose codes are UTF-16: a range for each first byte."""
    ranges = [f"<{high:02X}00> <{high:02X}FF> <{high:02X}00>" for high in range(256)]
    blocks = [ranges[start : start + PER_BLOCK] for start in range(0, 256, PER_BLOCK)]
    maps = "\n".join(f"{len(block)} beginbfrange\n{chr(10).join(block)}\nendbfrange" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        f"/CMapName /{FONT} def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{maps}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode()
