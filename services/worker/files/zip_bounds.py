"""Looks a ZIP over before a library opens it: how much comes out of it, whether it is whole, and what lies in it.

Libraries for Office files and EPUBs unpack members into memory without asking. What passes here inflates to a bounded
size, whatever its table of contents says, and has a right checksum for each member.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError

MAX_MEMBERS = 20_000
MAX_RATIO = 200  # a sheet of equal rows packs to a hundredth; what packs better was made to
FREE_BYTES = 64 * 1024**2  # as much may come out of any file, however small
PIECE_BYTES = 1024**2
TYPE_MEMBER = "mimetype"  # of an EPUB (EPUB 3.3, 4.2.3)
TYPE_BYTES = 100
WAYS = (ZIP_STORED, ZIP_DEFLATED)  # ISO/IEC 29500-2, annex C; EPUB 3.3, 4.2.2. Others may ask for any memory
ENCRYPTED = 0x1  # general purpose flag (APPNOTE.TXT, 4.4.4)
DAMAGED = (BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)
"""What `zipfile` raises for a file that is not a whole ZIP, or packed in a way that it does not know."""


@dataclass(frozen=True, slots=True)
class Zipped:
    """The names in a ZIP, and what its member `mimetype` says, if it has one."""

    names: frozenset[str]
    packed_type: str


def look_over(path: str, size: int, max_inflated: int) -> Zipped:
    """Reads all of a ZIP of `size` bytes once, without keeping any of it.

    Raises ProcessingError: FILE_TOO_LARGE when more than `max_inflated` bytes, or suspiciously many for its size,
    would come out of it; FILE_ENCRYPTED; INVALID_DOCUMENT.
    """
    with opened(path) as archive:
        members = archive.infolist()
        _check_sizes(members, size, max_inflated)
        for member in members:
            _check_member(archive, member)
        return Zipped(frozenset(member.filename for member in members), _packed_type(archive, members))


@contextmanager
def opened(path: str) -> Iterator[ZipFile]:
    """An open ZIP; what goes wrong with it is ProcessingError INVALID_DOCUMENT."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except DAMAGED as error:
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            "The file is damaged: it begins as a ZIP, which Office files and EPUBs are, but cannot be unpacked.",
            error_type=type(error).__name__,
        ) from error


def _check_sizes(members: list[ZipInfo], size: int, max_inflated: int) -> None:
    """Judges by the table of contents, which `zipfile` never reads beyond: a member is cut at the size it is given."""
    if len(members) > MAX_MEMBERS:
        raise _bomb(f"it holds {len(members):,} files; at most {MAX_MEMBERS:,} are allowed")
    inflated = sum(member.file_size for member in members)
    if inflated > max_inflated:
        raise _bomb(f"it unpacks to {inflated:,} bytes; at most {max_inflated:,} are allowed")
    if inflated > max(FREE_BYTES, MAX_RATIO * size):
        raise _bomb(f"its {size:,} bytes unpack to {inflated:,}, more than {MAX_RATIO} times as many")


def _check_member(archive: ZipFile, member: ZipInfo) -> None:
    """Inflates a member piece by piece: `zipfile` compares its checksum at the end."""
    if member.flag_bits & ENCRYPTED:
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The file is protected by a password: send it without one.", retryable=False
        )
    if member.compress_type not in WAYS:
        raise BadZipFile("a member is packed in a way that Office files and EPUBs do not use")
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
