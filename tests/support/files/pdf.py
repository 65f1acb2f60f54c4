"""Small documents of our own, good and bad, made when a test needs them."""

import io
import time
import zipfile
import zlib
from pathlib import Path
from uuid import uuid4

import pymupdf

from services.worker.pages.mupdf import page_text
from tests.support.servers.website import Held, Website

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BOMB_BYTES = 256 * 1024**2
FLOOD_LINES = 8000


def pdf(path: Path, pages: int = 3, password: str | None = None) -> Path:
    """A PDF whose page N says "This is page N."; answers its path."""
    document = pymupdf.open()
    for number in range(1, pages + 1):
        page = document.new_page()
        page.insert_text((72, 72), f"This is page {number}.")
        page.draw_rect(pymupdf.Rect(72, 100, 200, 150), fill=(0.2, 0.4, 0.6))
    if password:
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw=password)
    else:
        document.save(path)
    document.close()
    return path


def flooding_pdf(path: Path, pages: int, flooding: int) -> Path:
    """A small PDF as of `pdf` with one page whose text is so long that it needs hundreds of MiB."""
    packer = zlib.compressobj(9)
    line = b"(" + b"a" * 1000 + b") Tj\n"
    packed = [packer.compress(b"BT /helv 1 Tf 72 72 Td\n"), *(packer.compress(line) for _ in range(FLOOD_LINES))]
    packed += [packer.compress(b"ET"), packer.flush()]
    with pymupdf.open(pdf(path.with_suffix(".plain"), pages)) as document:
        (content,) = document[flooding - 1].get_contents()[:1]
        document.update_stream(content, b"".join(packed), compress=0)
        document.xref_set_key(content, "Filter", "/FlateDecode")
        document.save(path)
    return path


def held_pdf(site: Website, folder: Path) -> Held:
    """A PDF on a web site that is sent only when the test releases it; a `pdf` job on its url runs for so long."""
    name = f"{uuid4().hex}.pdf"
    return site.held(f"/{name}", pdf(folder / name).read_bytes(), "application/pdf")


def zip_bomb(size: int = BOMB_BYTES) -> bytes:
    """A small ZIP with the parts of a Word document, the text of which would inflate to `size` bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(size // 1_048_576):
                part.write(bytes(1_048_576))
    return out.getvalue()


def long_pdf(path: Path, words: str, least_s: float, pages: int = 300) -> int:
    """A PDF with these words on each page, whose text layer takes about that long to read; the number of its pages.

    What takes the time is a drawing.
    """
    stroke = b"0 0 m 9 9 l S\n"
    with pymupdf.open() as made:
        page = made.new_page()
        page.insert_text((72, 72), words)
        text = page.read_contents()
        strokes, taken_s = 10_000, 0.0
        while taken_s < least_s / pages:
            strokes *= 2
            made.update_stream(page.get_contents()[0], text + stroke * strokes)
            began = time.process_time()
            page_text(made, 1)
            taken_s = time.process_time() - began
        for _ in range(pages - 1):
            made.fullcopy_page(0)
        made.save(path, garbage=4, deflate=True)
    return pages
