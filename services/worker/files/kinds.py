"""What a file is: by its first bytes, by what lies in it if it is a ZIP, and by its name and media type. Pure.

A file is what its content says; its name must not say something else. What no job can read is refused by its name.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from schemas.errors import ErrorCode
from schemas.media import MEDIA_TYPES, media_type_of
from services.worker.errors import ProcessingError

HEAD_BYTES: Final = 4096
"""As many bytes of a file's beginning as `kind_of` wants."""


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


WORDS: Final[Mapping[Kind, str]] = {
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
WRITTEN: Final = frozenset({Kind.HTML, Kind.MARKDOWN, Kind.CSV, Kind.JSON, Kind.TEXT})
"""What is characters and nothing else: its name says how they are meant."""

KINDS: Final[Mapping[str, Kind]] = {
    **{MEDIA_TYPES[f".{kind}"]: kind for kind in (Kind.PDF, Kind.DOCX, Kind.PPTX, Kind.XLSX, Kind.EPUB, Kind.HTML)},
    **{MEDIA_TYPES[f".{kind}"]: kind for kind in (Kind.CSV, Kind.JSON)},
    "application/xhtml+xml": Kind.HTML,
    "text/markdown": Kind.MARKDOWN,
    "text/plain": Kind.TEXT,
}
IMAGES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF87a", b"GIF89a")
MEMBERS: Final = (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX))  # ISO/IEC 29500, as all writers do
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
SOUND: Final = "sound or film: create a transcription job for it"
UNREAD: Final[tuple[tuple[bytes, str], ...]] = (
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
UNREAD_WRITTEN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"{\\rtf", "a Rich Text document: save it as DOCX"),
    (b"%!PS", "a PostScript document: save it as PDF"),
)
WEB_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
BOMS: Final = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, whose characters have zero bytes
CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b") | {127}
PDF_MARK_WITHIN: Final = 1024  # ISO 32000-1, annex H


def is_zip(head: bytes) -> bool:
    """Whether a file begins as a ZIP does."""
    return head.startswith(ZIP)


def is_ole(head: bytes) -> bool:
    """Whether a file begins as the Office files before 2007 do, and those that a password protects."""
    return head.startswith(OLE)


def kind_of(head: bytes, members: Collection[str], packed_type: str, name: str, told: str) -> Kind:
    """What a file is by its `head`; `members` and `packed_type` (its member `mimetype`) are those of a ZIP.

    `told` is what a server or an uploader said of it, perhaps nothing. Raises ProcessingError: UNSUPPORTED_FILE_TYPE;
    INVALID_DOCUMENT for an empty file and one that is not what its name says.
    """
    if not head:
        raise ProcessingError(ErrorCode.INVALID_DOCUMENT, "The file is empty.")
    media_type = media_type_of(name, told)
    if media_type.startswith(("audio/", "video/")):
        raise _unsupported(f"{_named(name, media_type)}, {SOUND}")
    said = _kind_said(media_type)
    seen = _kind_seen(head, members, packed_type, said)
    if seen is None and said is None:
        raise _unsupported(", ".join(filter(None, (_named(name, media_type), _unread(head, members)))))
    if seen is None or not (said in (None, seen) or {said, seen} <= WRITTEN):
        content = WORDS[seen] if seen else _unread(head, members) or "of no known format"
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            f"The file is not what it is called: its name or media type says {WORDS[said or Kind.TEXT]}, "
            f"its content is {content}.",
        )
    return seen if said is None or seen is Kind.HTML else said


def media_type_by(kind: Kind, name: str, head: bytes) -> str:
    """The media type of a file of a kind."""
    by_name = media_type_of(name)
    if _kind_said(by_name) is kind:
        return by_name
    if kind is Kind.IMAGE:
        return next((said for mark, said in _IMAGE_TYPES if head.startswith(mark)), "image/webp")
    return next(said for said, of in KINDS.items() if of is kind)


_IMAGE_TYPES: Final = (
    (b"\x89PNG", "image/png"),
    (b"\xff\xd8", "image/jpeg"),
    ((b"II", b"MM"), "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def _kind_said(media_type: str) -> Kind | None:
    return Kind.IMAGE if media_type.startswith("image/") else KINDS.get(media_type)


def _kind_seen(head: bytes, members: Collection[str], packed_type: str, said: Kind | None) -> Kind | None:
    if is_zip(head):
        return _kind_packed(members, packed_type)
    if b"%PDF-" in head[:PDF_MARK_WITHIN]:
        return Kind.PDF
    if head.startswith(IMAGES) or _is_bitmap(head) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return Kind.IMAGE
    if _unread(head, members) or not (_is_written(head) or (said in WRITTEN and b"\0" not in head)):
        return None
    return Kind.HTML if WEB_PAGE.match(head.removeprefix(b"\xef\xbb\xbf")) else Kind.TEXT


def _kind_packed(members: Collection[str], packed_type: str) -> Kind | None:
    if packed_type == MEDIA_TYPES[".epub"]:
        return Kind.EPUB
    if "[Content_Types].xml" not in members:
        return None
    return next((kind for folder, kind in MEMBERS if any(name.startswith(folder) for name in members)), None)


def _is_bitmap(head: bytes) -> bool:
    """A BMP by its mark and the reserved zeros behind the size: a text may begin with BM too."""
    return head[:2] == b"BM" and head[6:10] == bytes(4) and len(head) > 26


def _is_written(head: bytes) -> bool:
    return head.startswith(BOMS) or not CONTROLS.intersection(head)


def _unread(head: bytes, members: Collection[str]) -> str | None:
    """What a file is that no job reads, as far as that can be seen."""
    if is_zip(head):
        return "a ZIP archive that is neither Office nor EPUB" if members else "an empty ZIP archive"
    if is_ole(head):
        return "an Office file in the format before 2007: save it as DOCX, PPTX or XLSX"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI ")):
        return SOUND
    marks = UNREAD_WRITTEN if _is_written(head) else UNREAD
    return next((what for mark, what in marks if head.startswith(mark)), None)


def _named(name: str, media_type: str) -> str:
    """What a file is called: the ending of its name, else its media type."""
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
