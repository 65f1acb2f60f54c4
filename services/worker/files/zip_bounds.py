"""Check a ZIP before a library opens it: its unpacked size and the checksums of its members.

Libraries for Office files and EPUBs unpack members into memory without limits. A ZIP that passes this check unpacks to
a bounded size and has correct checksums; of an EPUB a member may have a wrong one, which costs its text alone.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.marks import EPUB_CONTAINER

MAX_MEMBERS = 20_000
MAX_RATIO = 200  # a sheet of equal rows has a ratio of 100; a higher ratio is a ZIP bomb
FREE_BYTES = 64 * 1024**2  # allowed unpacked size of any file, however small
PIECE_BYTES = 1024**2
TYPE_MEMBER = "mimetype"  # of an EPUB (EPUB 3.3, 4.2.3)
TYPE_BYTES = 100
WAYS = (ZIP_STORED, ZIP_DEFLATED)  # ISO/IEC 29500-2, annex C; EPUB 3.3, 4.2.2. Other methods may need unbounded memory
ENCRYPTED = 0x1  # general purpose flag (APPNOTE.TXT, 4.4.4)
DAMAGED = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)
"""Errors of `zipfile` for a file that is not a complete ZIP or uses an unknown method."""


@dataclass(frozen=True, slots=True)
class ZipContents:
    """The names of a ZIP's members, and the content of its member `mimetype` if it has one."""

    names: frozenset[str]
    packed_type: str


def check_zip(path: str, size: int, max_inflated: int) -> ZipContents:
    """Read through a ZIP of `size` bytes once, in bounded memory.

    Raises ProcessingError: FILE_TOO_LARGE when it unpacks to more than `max_inflated` bytes or has a ratio above
    MAX_RATIO; FILE_ENCRYPTED; INVALID_DOCUMENT.
    """
    with open_zip(path) as archive:
        members = archive.infolist()
        _check_sizes(members, size, max_inflated)
        is_book = any(member.filename == EPUB_CONTAINER for member in members)
        for member in members:
            with suppress(*DAMAGED) if is_book else nullcontext():  # its other chapters are read
                _check_member(archive, member)
        return ZipContents(frozenset(member.filename for member in members), _packed_type(archive, members))


@contextmanager
def open_zip(path: str) -> Iterator[ZipFile]:
    """Open a ZIP; errors inside become ProcessingError INVALID_DOCUMENT."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except DAMAGED as error:
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            "The file is damaged: it is a ZIP, as Office files and EPUBs are, but cannot be unpacked.",
            error_type=type(error).__name__,
        ) from error


def packed_as_usual(member: ZipInfo) -> bool:
    """Whether a member is packed in a way whose memory is bounded."""
    return member.compress_type in WAYS


def _check_sizes(members: list[ZipInfo], size: int, max_inflated: int) -> None:
    """Check the sizes in the table of contents; `zipfile` never reads more of a member than its stated size."""
    if len(members) > MAX_MEMBERS:
        raise _bomb(f"it contains {len(members):,} files; at most {MAX_MEMBERS:,} are allowed")
    inflated = sum(member.file_size for member in members)
    if inflated > max_inflated:
        raise _bomb(f"it unpacks to {inflated:,} bytes; at most {max_inflated:,} are allowed")
    if inflated > max(FREE_BYTES, MAX_RATIO * size):
        raise _bomb(f"its {size:,} bytes unpack to {inflated:,}, more than {MAX_RATIO} times as many")


def _check_member(archive: ZipFile, member: ZipInfo) -> None:
    """Inflate a member in pieces; `zipfile` checks its checksum at the end."""
    if member.flag_bits & ENCRYPTED:
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The file is protected by a password: send it without one.", retryable=False
        )
    if not packed_as_usual(member):
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            "The file is a ZIP with a compression method that Office files and EPUBs do not use.",
        )
    with archive.open(member) as content:
        while content.read(PIECE_BYTES):
            pass


def _packed_type(archive: ZipFile, members: list[ZipInfo]) -> str:
    named = next((member for member in members if member.filename == TYPE_MEMBER), None)
    if named is None or named.file_size > TYPE_BYTES:
        return ""
    return archive.read(named).decode("ascii", "replace").strip()


def _bomb(what: str) -> ProcessingError:
    return ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The file is not unpacked: {what}.")
