"""Detect the kind of a file by its first bytes, the members of a ZIP, and its name and media type. Pure.

The content decides; a name or media type that contradicts it is an error.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from schemas.errors import ErrorCode
from schemas.media import MEDIA_TYPES, SHEET_FILES, SLIDE_FILES, WORD_FILES, media_type_of
from services.worker.errors import ProcessingError

HEAD_BYTES: Final = 4096
"""The number of bytes of a file's beginning that `kind_of` needs."""


class Kind(StrEnum):
    """The kinds of files that an extraction reads."""

    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"
    EPUB = "epub"
    IMAGE = "image"
    HTML = "html"
    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    TEXT = "text"


KIND_NAMES: Final[Mapping[Kind, str]] = {
    Kind.PDF: "a PDF",
    Kind.DOCX: "a Word document (DOCX)",
    Kind.PPTX: "a presentation (PPTX)",
    Kind.XLSX: "a spreadsheet (XLSX)",
    Kind.EPUB: "an EPUB",
    Kind.IMAGE: "an image",
    Kind.HTML: "a web page (HTML)",
    Kind.MARKDOWN: "Markdown",
    Kind.CSV: "a table (CSV)",
    Kind.JSON: "JSON",
    Kind.TEXT: "a text",
}
TEXT_KINDS: Final = frozenset({Kind.HTML, Kind.MARKDOWN, Kind.CSV, Kind.JSON, Kind.TEXT})
"""Kinds of plain text, which only the name distinguishes."""

KINDS: Final[Mapping[str, Kind]] = {
    **{media_type.lower(): Kind.DOCX for media_type in WORD_FILES.values()},
    **{media_type.lower(): Kind.PPTX for media_type in SLIDE_FILES.values()},
    **{media_type.lower(): Kind.XLSX for media_type in SHEET_FILES.values()},
    **{MEDIA_TYPES[f".{kind}"]: kind for kind in (Kind.PDF, Kind.EPUB, Kind.HTML)},
    **{MEDIA_TYPES[f".{kind}"]: kind for kind in (Kind.CSV, Kind.JSON)},
    "application/xhtml+xml": Kind.HTML,
    "text/markdown": Kind.MARKDOWN,
    "text/plain": Kind.TEXT,
}
IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a")
MEMBERS: Final = (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX))  # ISO/IEC 29500
CONTENT_TYPES: Final = "[content_types].xml"
BINARY_SHEETS: Final = "xl/workbook.bin"  # MS-XLSB, 2.1.7
EPUB_CONTAINER: Final = "META-INF/container.xml"  # EPUB 3.3, 4.2.6
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
SOUND: Final = "audio or video: create a transcription job for it"
UNSUPPORTED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"ID3", SOUND),
    (b"OggS", SOUND),
    (b"fLaC", SOUND),
    (b"\x1a\x45\xdf\xa3", SOUND),
)
UNSUPPORTED_TEXT: Final[tuple[tuple[bytes, str], ...]] = (
    (b"{\\rtf", "a Rich Text document: save it as DOCX"),
    (b"%!PS", "a PostScript document: save it as PDF"),
)
WEB_PAGE = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
"""Possessive: each comment ends at its first end, so that a file of many comments is read once."""
BOMS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")  # of UTF-16 and UTF-32, which contain zero bytes
CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b") | {127}
PDF_MARK_WITHIN: Final = 1024  # ISO 32000-1, annex H


def is_zip(head: bytes) -> bool:
    """Whether a file begins with the mark of a ZIP."""
    return head.startswith(ZIP)


def is_ole(head: bytes) -> bool:
    """Whether a file begins with the mark of Office files before 2007, and of password-protected ones."""
    return head.startswith(OLE)


def kind_of(head: bytes, members: Collection[str], packed_type: str, name: str, declared_type: str) -> Kind:
    """Return the kind of a file by its `head`; `members` and `packed_type` (its member `mimetype`) are those of a ZIP.

    `declared_type` is the media type by a server or an uploader; may be empty. Raises ProcessingError:
    UNSUPPORTED_FILE_TYPE; INVALID_DOCUMENT for an empty file and one whose name contradicts its content.
    """
    if not head:
        raise ProcessingError(ErrorCode.INVALID_DOCUMENT, "The file is empty.")
    media_type = media_type_of(name, declared_type)
    if media_type.startswith(("audio/", "video/")):
        raise _unsupported(f"{_named(name, media_type)}, {SOUND}")
    declared = _declared_kind(media_type)
    detected = _detected_kind(head, members, packed_type, declared)
    if detected is None and declared is None:
        raise _unsupported(", ".join(filter(None, (_named(name, media_type), _unsupported_kind(head, members)))))
    if detected is None or not (declared in (None, detected) or {declared, detected} <= TEXT_KINDS):
        content = KIND_NAMES[detected] if detected else _unsupported_kind(head, members) or "of no known format"
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            f"The file does not match its name or media type: by these it is {KIND_NAMES[declared or Kind.TEXT]}, "
            f"but its content is {content}.",
        )
    return detected if declared is None or detected is Kind.HTML else declared


def media_type_by(kind: Kind, name: str, head: bytes) -> str:
    """Return the media type of a file of a kind."""
    by_name = media_type_of(name)
    if _declared_kind(by_name) is kind:
        return by_name
    if kind is Kind.IMAGE:
        return next((media_type for mark, media_type in _IMAGE_TYPES if head.startswith(mark)), "image/webp")
    return next(media_type for media_type, of in KINDS.items() if of is kind)


_IMAGE_TYPES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    ((b"II", b"MM"), "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def _declared_kind(media_type: str) -> Kind | None:
    return Kind.IMAGE if media_type.startswith("image/") else KINDS.get(media_type.lower())


def _detected_kind(head: bytes, members: Collection[str], packed_type: str, declared: Kind | None) -> Kind | None:
    if is_zip(head):
        return _kind_packed(members, packed_type)
    if b"%PDF-" in head[:PDF_MARK_WITHIN]:
        return Kind.PDF
    if head.startswith(IMAGES) or _is_bitmap(head) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Kind.IMAGE
    if _unsupported_kind(head, members) or not (_is_text(head) or (declared in TEXT_KINDS and b"\0" not in head)):
        return None
    return Kind.HTML if WEB_PAGE.match(head.removeprefix(b"\xef\xbb\xbf")) else Kind.TEXT


def _kind_packed(members: Collection[str], packed_type: str) -> Kind | None:
    if packed_type == MEDIA_TYPES[".epub"]:
        return Kind.EPUB
    names = _normal(members)
    if CONTENT_TYPES not in names:
        return Kind.EPUB if EPUB_CONTAINER in members else None  # some books lack the member `mimetype`
    if BINARY_SHEETS in names:
        return None
    return next((kind for folder, kind in MEMBERS if any(name.startswith(folder) for name in names)), None)


def _normal(members: Collection[str]) -> frozenset[str]:
    """Return the names of a ZIP's members as Office compares them: in lower case, with slashes."""
    return frozenset(name.replace("\\", "/").lstrip("/").lower() for name in members)


def _is_bitmap(head: bytes) -> bool:
    """Whether a file is a BMP, by its mark and the reserved zeros: a text may begin with BM too."""
    return head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) > 26


def _is_text(head: bytes) -> bool:
    return head.startswith(BOMS) or not CONTROLS.intersection(head)


def _unsupported_kind(head: bytes, members: Collection[str]) -> str | None:
    """Return the name of an unsupported kind, if it is detected."""
    if is_zip(head) and BINARY_SHEETS in _normal(members):
        return "a binary spreadsheet (XLSB): save it as XLSX"
    if is_zip(head):
        return "a ZIP archive that is neither Office nor EPUB" if members else "an empty ZIP archive"
    if is_ole(head):
        return "an Office file in the format before 2007: save it as DOCX, PPTX or XLSX"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI ")):
        return SOUND
    marks = UNSUPPORTED_TEXT if _is_text(head) else UNSUPPORTED
    return next((what for mark, what in marks if head.startswith(mark)), None)


def _named(name: str, media_type: str) -> str:
    """Return the extension of the file's name, else its media type."""
    _, dot, ending = name.rpartition(".")
    if dot and ending.isalnum() and len(ending) <= 16:
        return f".{ending.lower()}"
    return media_type[:100]


def _unsupported(what: str) -> ProcessingError:
    return ProcessingError(
        ErrorCode.UNSUPPORTED_FILE_TYPE,
        f"Files of this type are not supported: {what}. Supported are {', '.join(_readable())}.",
    )


def _readable() -> list[str]:
    return sorted(ending for ending, kind in MEDIA_TYPES.items() if not kind.startswith(("audio/", "video/")))
