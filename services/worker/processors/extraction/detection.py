"""What kind of file a source is, before a library opens it."""

from pathlib import PurePath
from typing import Final

from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.errors import ProcessingError
from services.worker.files.kinds import HEAD_BYTES, kind_of, media_type_by
from services.worker.files.marks import is_ole, is_zip
from services.worker.files.ole import top_streams
from services.worker.files.sources import Source
from services.worker.files.zip_bounds import ZipContents, check_zip

INFLATED: Final = 4
"""A ZIP may unpack to this multiple of the maximum file size."""
ZIPPED: Final = (Kind.DOCX, Kind.PPTX, Kind.XLSX, Kind.OPEN_DOCUMENT)
END_MARKERS: Final = {
    ".pdf": b"%%EOF",
    **{ending: b"PK\x05\x06" for kind in ZIPPED for ending in OF_KIND[kind].endings},
}
"""The marker at the end of a complete file (docs/contract/secretary.md#conventions), by extension."""
ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO, 2.3.4.4
PIECE_BYTES: Final = 1024**2


def end_marker_of(filename: str) -> bytes:
    """Return the marker at the end of a complete file of this name; empty if it has none."""
    return END_MARKERS.get(PurePath(filename).suffix.lower(), b"")


def detect_kind(source: Source, max_bytes: int) -> tuple[Kind, str]:
    """Return a file's kind and media type. A ZIP is checked before a library opens it.

    Raises ProcessingError: UNSUPPORTED_FILE_TYPE, INVALID_DOCUMENT, FILE_ENCRYPTED, FILE_TOO_LARGE.
    """
    with open(source.path, "rb") as file:  # noqa: PTH123 - keeps the descriptor's position
        head = file.read(HEAD_BYTES)
    inside = _inside(source, head, max_bytes)
    kind = kind_of(head, inside.names, inside.packed_type, source.name, source.media_type)
    return kind, media_type_by(kind, source.name, head)


def _inside(source: Source, head: bytes, max_bytes: int) -> ZipContents:
    """Return the names of what a ZIP or an OLE container holds, none for another file."""
    if is_zip(head):
        return check_zip(source.path, source.size, INFLATED * max_bytes)
    if not is_ole(head):
        return ZipContents(frozenset(), "")
    if _is_encrypted_office(source):
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The Office file is protected by a password: send it without one."
        )
    return ZipContents(frozenset(top_streams(source.path)), "")


def _is_encrypted_office(source: Source) -> bool:
    """Whether an OLE container holds a password-protected Office file, by the name of a stream in its directory."""
    rest = b""
    with open(source.path, "rb") as file:  # noqa: PTH123 - as above
        while piece := file.read(PIECE_BYTES):
            if ENCRYPTED_STREAM in rest + piece:
                return True
            rest = piece[-len(ENCRYPTED_STREAM) :]
    return False
