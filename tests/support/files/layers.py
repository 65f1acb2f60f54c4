"""PDFs whose text layer is wrong: it lacks what a picture shows, or has codes in place of characters."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pymupdf

from tests.support.files.scans import png

A4 = pymupdf.paper_rect("a4")
Typed = tuple[float, float, str]
"""Where a text begins, and the text."""
Fault = Literal["no_map", "private_use", "replacement"]
"""No ToUnicode; one into the private use area; one into U+FFFD."""


def picture_page(path: Path, image: Any, area: Any, texts: Sequence[Typed], strips: int = 1) -> Path:
    """A PDF of one page: a picture in this area, in strips as some scanners make it, and typed texts."""
    with pymupdf.open() as document:
        page = document.new_page(width=A4.width, height=A4.height)
        area = pymupdf.Rect(area)
        for number in range(strips):
            part = image.crop((0, image.height * number // strips, image.width, image.height * (number + 1) // strips))
            top, bottom = (area.y0 + area.height * at / strips for at in (number, number + 1))
            page.insert_image((area.x0, top, area.x1, bottom), stream=png(part), keep_proportion=False)
        for left, top, text in texts:
            page.insert_text((left, top), text, fontsize=10)
        document.save(path)
    return path


def coded(path: Path, lines: Sequence[str], fault: Fault, plain: Sequence[str] = ()) -> Path:
    """A PDF with these lines in an embedded font that does not name its characters, and plain ones below them."""
    with pymupdf.open() as document:
        page = document.new_page(width=A4.width, height=A4.height)
        writer = pymupdf.TextWriter(page.rect)
        for number, line in enumerate(lines):
            writer.append((50, 80 + 20 * number), line, font=pymupdf.Font("helv"), fontsize=12)
        writer.write_text(page)
        ((font, *_),) = page.get_fonts()
        if fault == "no_map":
            document.xref_set_key(font, "ToUnicode", "null")
        else:
            document.update_stream(int(document.xref_get_key(font, "ToUnicode")[1].split()[0]), _map(fault))
        for number, line in enumerate(plain):
            page.insert_text((50, 120 + 20 * (len(lines) + number)), line, fontname="tiro", fontsize=12)
        document.save(path)
    return path


def _map(fault: Fault) -> bytes:
    target = b"<E000>" if fault == "private_use" else b"[" + b"<FFFD>" * 256 + b"]"
    ranges = b"".join(b"<%02X00> <%02XFF> " % (high, high) + target.replace(b"E0", b"E%X" % high) for high in range(4))
    return (
        b"/CIDInit /ProcSet findresource begin begincmap /CMapName /Odd def /CMapType 2 def "
        b"1 begincodespacerange <0000> <FFFF> endcodespacerange 4 beginbfrange " + ranges + b" endbfrange endcmap end"
    )
