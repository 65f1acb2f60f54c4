"""Documents of many kinds, made when a test needs them: Word, presentations, spreadsheets, EPUBs, pictures of words."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import docx
import openpyxl
import pptx
from PIL import Image

from tests.support.runs.pdf import SMALL, pymupdf

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
PACKAGE = """<?xml version="1.0"?>
<package version="3.0" xmlns="http://www.idpf.org/2007/opf">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></metadata>
<manifest>{items}</manifest><spine>{spine}</spine>
</package>"""
CHAPTER = """<?xml version="1.0"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>unseen</title></head><body>{body}</body></html>"""


def word(path: Path, title: str = "", heading: str = "Minutes", paragraphs: Sequence[str] = ()) -> Path:
    """A Word document: a heading, paragraphs, a list and a table of two rows."""
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading(heading, level=1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.add_paragraph("Book the room", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("Name", "Task"), ("Grace", "Notes")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.save(str(path))
    return path


def slides(path: Path, contents: Sequence[tuple[str, str, str]]) -> Path:
    """A presentation: of each slide its title, its text and its notes."""
    deck = pptx.Presentation()
    for title, text, notes in contents:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        assert slide.shapes.title is not None
        slide.shapes.title.text = title
        slide.placeholders[1].text = text  # type: ignore[attr-defined]
        if notes:
            frame = slide.notes_slide.notes_text_frame
            assert frame is not None
            frame.text = notes
    deck.save(str(path))
    return path


def sheets(path: Path, contents: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    """A workbook: rows of values by the name of their sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in contents.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(str(path))
    return path


def epub(path: Path, title: str, chapters: Sequence[str], more: Mapping[str, str] | None = None) -> Path:
    """An EPUB whose chapters have these bodies; `more` are further members."""
    items = "".join(f'<item id="c{n}" href="part%20{n}.xhtml"/>' for n in range(len(chapters)))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", ZIP_STORED)
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book/package.opf", PACKAGE.format(title=title, items=items, spine=spine))
        for number, body in enumerate(chapters):
            book.writestr(f"book/part {number}.xhtml", CHAPTER.format(body=body))
        for name, content in (more or {}).items():
            book.writestr(name, content)
    return path


def picture(text: str, size: tuple[int, int] = SMALL) -> Image.Image:
    """A picture of a line of words, black on white."""
    with pymupdf.open() as drawn:
        page = drawn.new_page(width=size[0], height=size[1])
        page.insert_text((20, 40), text, fontsize=12)
        pixels = page.get_pixmap(dpi=150)
    return Image.frombytes("RGB", (pixels.width, pixels.height), pixels.samples)


def image(path: Path, text: str, kind: str, **saving: object) -> Path:
    """A picture of a line of words as a file of a kind that Pillow writes."""
    picture(text).save(path, kind, **saving)
    return path


def bomb(path: Path, inflated: int) -> Path:
    """A file that is named as a Word document and unpacks to so many bytes of nothing."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(inflated // 1024**2):
                member.write(bytes(1024**2))
    return path


def encrypted_office() -> bytes:
    """The beginning of a container as Office writes it for a password, up to the directory that names its content."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(500)


def packed(members: Mapping[str, bytes]) -> bytes:
    """A ZIP of these members."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


# --- files that are changed inside --------------------------------------------------------------------------------


def members(path: Path) -> list[str]:
    """The names in a ZIP."""
    with ZipFile(path) as archive:
        return archive.namelist()


def member(path: Path, name: str) -> bytes:
    """A member of a ZIP."""
    with ZipFile(path) as archive:
        return archive.read(name)


def put(path: Path, name: str, content: bytes) -> None:
    """Gives a member of a ZIP another content."""
    with ZipFile(path) as archive:
        contents = {info.filename: archive.read(info) for info in archive.infolist()}
    path.write_bytes(packed(contents | {name: content}))


def rewrite(path: Path, name: str, old: bytes, new: bytes) -> None:
    """Replaces bytes that a member of a ZIP holds."""
    content = member(path, name)
    assert old in content, content
    put(path, name, content.replace(old, new))


def laughing(xml: bytes) -> bytes:
    """A document whose entities would expand to a billion words in its first element, if anybody expanded them."""
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head, _, body = xml.partition(b"?>") if xml.startswith(b"<?xml") else (b"", b"", xml)
    end = body.index(b">") + 1
    root = body.split(b"<", 1)[1].split(b">", 1)[0].split()[0]
    kind = f'<!DOCTYPE {root.decode()} [<!ENTITY l0 "laughter">{layers}]>'.encode()
    return head + (b"?>" if head else b"") + kind + body[:end] + b"&l9;" + body[end:]
