"""What a file is by its content: its first bytes, and the names of what a ZIP or an OLE container holds. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from schemas import formats
from schemas.formats import OASIS, OF_KIND, Kind, Refused

TEXT_KINDS: Final = frozenset(
    {Kind.HTML, Kind.MARKDOWN, Kind.CSV, Kind.JSON, Kind.TEXT, Kind.MAIL, Kind.WEB_ARCHIVE, Kind.SVG}
)
"""Kinds of plain text, of which the content alone may be any."""
IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a")
MEMBERS: Final = (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX))  # ISO/IEC 29500
CONTENT_TYPES: Final = "[content_types].xml"
BINARY_SHEETS: Final = "xl/workbook.bin"  # MS-XLSB, 2.1.7
EPUB_CONTAINER: Final = "META-INF/container.xml"  # EPUB 3.3, 4.2.6
OPEN_DOCUMENT: Final = frozenset({"content.xml", "meta-inf/manifest.xml"})  # ODF 1.3, part 2, 3.1
APPLE_PARTS: Final = ("index/document.iwa", "index.zip", "index.apxl")
STREAMS: Final[tuple[tuple[str, Kind | Refused], ...]] = (
    ("worddocument", formats.OLD_WORD),  # MS-DOC, 2.1
    ("workbook", Kind.BINARY_SHEET),  # MS-XLS, 2.1.2
    ("book", Kind.BINARY_SHEET),
    ("powerpoint document", formats.OLD_SLIDES),  # MS-PPT, 2.1.2
    ("__properties_version1.0", formats.OUTLOOK),  # MS-OXMSG, 2.4
)
"""What an OLE container is by the streams at its top."""
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
BINARY: Final[tuple[tuple[bytes, Refused], ...]] = (
    (b"MZ", formats.WINDOWS_PROGRAM),
    (b"\x7fELF", formats.LINUX_PROGRAM),
    (b"\x1f\x8b", formats.GZIP),
    (b"BZh", formats.BZIP2),
    (b"\xfd7zXZ\0", formats.XZ),
    (b"7z\xbc\xaf\x27\x1c", formats.SEVEN_ZIP),
    (b"Rar!\x1a\x07", formats.RAR),
    (b"AT&TFORM", formats.DJVU),
    (b"\0\0\0\x0cjP  ", formats.JPEG_2000),
    (b"\0\0\0\x0cJXL ", formats.JPEG_2000),
    (b"ID3", formats.SOUND),
    (b"OggS", formats.SOUND),
    (b"fLaC", formats.SOUND),
    (b"\x1a\x45\xdf\xa3", formats.SOUND),
)
BRANDS: Final[Mapping[bytes, Kind | Refused]] = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), Kind.IMAGE),
    **dict.fromkeys((b"avif", b"avis"), Kind.IMAGE),
    b"crx ": formats.CAMERA,
}
"""Files of ISO/IEC 14496-12 by their brand, beyond those of sound."""
SOUND_BRANDS: Final = re.compile(
    rb"isom|iso\d|mp4\d|M4[ABPV] |M4VH|M4VP|qt  |3g|avc1|dash|f4v |F4|mmp4|MSNV|NDS|cmf|mp7"
)
WEB_PAGE: Final = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
"""Possessive: each comment ends at its first end, so that a file of many comments is read once."""
DRAWING: Final = re.compile(
    rb"\s*+(?:<\?[^>]*+>\s*+|<!--(?:(?!-->).)*+-->\s*+|<!DOCTYPE\s+svg[^>\[]*+(?:\[[^\]]*+\]\s*+)?>\s*+)*+<(?:svg:)?svg\b",
    re.DOTALL,
)
OFFICE_2003: Final = re.compile(rb"\s*+<\?xml[^>]*+>\s*+<\?mso-application\b")
PDF_BEGINS: Final = re.compile(rb"^%PDF-\d\.\d[ \t]*\r?(?:\n|%|\Z)", re.MULTILINE)
PDF_OBJECT: Final = re.compile(rb"\b\d{1,10}[ \t\r\n]{1,4}\d{1,5}[ \t\r\n]{1,4}obj\b")
PDF_MARK: Final = b"%PDF-"
PDF_MARK_WITHIN: Final = 1024  # ISO 32000-1, annex H
BOMS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # of UTF-16 and UTF-32, which contain zero bytes
UTF_8_BOM: Final = b"\xef\xbb\xbf"
CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b") | {127}
HEADER: Final = re.compile(rb"[!-9;-~]{1,80}:")
"""The start of a header of a message (RFC 5322, 2.2)."""
FEWEST_HEADERS: Final = 4
"""Headers behind which a line that is none does not make a message something else."""


def is_zip(head: bytes) -> bool:
    """Whether a file begins with the mark of a ZIP."""
    return head.startswith(ZIP)


def is_ole(head: bytes) -> bool:
    """Whether a file begins with the mark of Office files before 2007, and of password-protected ones."""
    return head.startswith(OLE)


def content_of(head: bytes, members: Collection[str], packed_type: str, declared: Kind | None) -> Kind | Refused | None:
    """Return what a file is; None for nothing known.

    `members` are the names in a ZIP, or of the streams at the top of an OLE container, `packed_type` the content of the
    member `mimetype`. `declared` counts where a text could be either: of a text that mentions the mark of a PDF, and of
    one with control characters.
    """
    if is_zip(head):
        return _packed(members, packed_type)
    if is_ole(head):
        names = frozenset(name.lower() for name in members)
        return next((what for stream, what in STREAMS if stream in names), formats.OLD_OFFICE)
    if _is_pdf(head, declared):
        return Kind.PDF
    if head.startswith(IMAGES) or _is_bitmap(head) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Kind.IMAGE
    if head[4:8] == b"ftyp":
        return _branded(head)
    return _text(head, declared) if _is_text(head) else _binary(head, declared)


def image_type(head: bytes) -> str:
    """Return the media type of an image."""
    if head[4:8] == b"ftyp":
        return "image/avif" if {b"avif", b"avis"}.intersection(_brands(head)) else "image/heic"
    return next((media_type for mark, media_type in _IMAGE_TYPES if head.startswith(mark)), "image/webp")


def open_document_type(head: bytes) -> str:
    """Return the media type of an OpenDocument file, which stands near its start (ODF 1.3, part 2, 3.3)."""
    found = re.search(rb"application/vnd\.oasis\.opendocument\.[a-z-]+", head[:200])
    media_type = found[0].decode() if found else ""
    known = OF_KIND[Kind.OPEN_DOCUMENT].endings.values()
    return next((one for one in sorted(known, key=len, reverse=True) if media_type.startswith(one)), f"{OASIS}.text")


_IMAGE_TYPES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    ((b"II", b"MM"), "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def _packed(members: Collection[str], packed_type: str) -> Kind | Refused:
    if packed_type == OF_KIND[Kind.EPUB].endings[".epub"]:
        return Kind.EPUB
    names = frozenset(name.replace("\\", "/").lstrip("/").lower() for name in members)  # as Office compares them
    if packed_type.startswith(OASIS) or (names >= OPEN_DOCUMENT and CONTENT_TYPES not in names):
        return Kind.OPEN_DOCUMENT
    if CONTENT_TYPES not in names:
        if EPUB_CONTAINER in members:  # some books lack the member `mimetype`
            return Kind.EPUB
        return formats.APPLE if names.intersection(APPLE_PARTS) else formats.ZIPPED
    if BINARY_SHEETS in names:
        return Kind.BINARY_SHEET
    return next((kind for folder, kind in MEMBERS if any(name.startswith(folder) for name in names)), formats.ZIPPED)


def _is_pdf(head: bytes, declared: Kind | None) -> bool:
    """Whether a file is a PDF: its mark at the start, or behind something else that is not a text about PDFs."""
    start = head[:PDF_MARK_WITHIN]
    first = start.removeprefix(UTF_8_BOM).lstrip()
    if first.startswith(PDF_MARK):
        return declared not in TEXT_KINDS or not _is_text(head) or PDF_BEGINS.match(first) is not None
    if PDF_MARK not in start:
        return False
    if declared is Kind.PDF or not _is_text(head):
        return True
    return declared not in TEXT_KINDS and PDF_BEGINS.search(start) is not None and PDF_OBJECT.search(head) is not None


def _branded(head: bytes) -> Kind | Refused:
    """Return what a file of ISO/IEC 14496-12 is: by its brand, else by those that it is compatible with."""
    for brand in _brands(head):
        if brand in BRANDS:
            return BRANDS[brand]
        if SOUND_BRANDS.match(brand):
            return formats.SOUND
    return formats.MEDIA_BOX


def _brands(head: bytes) -> list[bytes]:
    """Return the major brand and the compatible ones (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(head[:4]), len(head))
    return [head[8:12], *(head[place : place + 4] for place in range(16, end - 3, 4))]


def _is_bitmap(head: bytes) -> bool:
    """Whether a file is a BMP, by its mark and the reserved zeros: a text may begin with BM too."""
    return head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) > 26


def _is_text(head: bytes) -> bool:
    return head.startswith(BOMS) or not CONTROLS.intersection(head)


def _text(head: bytes, declared: Kind | None) -> Kind | Refused:
    start = head.removeprefix(UTF_8_BOM)
    if start.startswith(b"{\\rtf"):
        return Kind.RTF
    if start.startswith(b"%!PS"):
        return formats.POSTSCRIPT
    if OFFICE_2003.match(start):
        return formats.OFFICE_2003
    if WEB_PAGE.match(start):
        return Kind.HTML
    if DRAWING.match(start):
        return Kind.SVG
    return _message(start) or Kind.TEXT


def _binary(head: bytes, declared: Kind | None) -> Kind | Refused | None:
    if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI "):
        return formats.SOUND
    if head[60:68] == b"BOOKMOBI":
        return formats.BOOK
    known = next((what for mark, what in BINARY if head.startswith(mark)), None)
    if known is None and head.startswith(b"{\\rtf"):
        return Kind.RTF  # with pictures as bytes
    if known is None and declared in TEXT_KINDS and b"\0" not in head:
        return Kind.HTML if WEB_PAGE.match(head.removeprefix(UTF_8_BOM)) else Kind.TEXT
    return known


def _message(head: bytes) -> Kind | None:
    """Return the kind of a message by its headers (RFC 5322): mail, or a web page saved as one (RFC 2557)."""
    headers: dict[str, str] = {}
    for line in head.removeprefix(b">").splitlines()[head.removeprefix(b">").startswith(b"From ") :]:
        mark = HEADER.match(line)
        if mark:
            headers[mark[0][:-1].decode("ascii").lower()] = line[mark.end() :].decode("ascii", "replace").lower()
        elif not line.strip() or len(headers) >= FEWEST_HEADERS:
            break
        elif not (headers and line.startswith((b" ", b"\t"))):
            return None
    names = headers.keys()
    if "snapshot-content-location" in names or (
        "multipart/related" in headers.get("content-type", "") and not names & {"to", "received"}
    ):
        return Kind.WEB_ARCHIVE
    sent = "from" in names and names & {"date", "message-id", "received", "mime-version"}
    return Kind.MAIL if sent or {"mime-version", "content-type"} <= names else None
