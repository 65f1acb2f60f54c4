"""Zip files: what is refused before it is unpacked."""

import struct
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.zip_bounds import check_zip
from tests.support.files import office


def looked_over(path: Path, max_inflated: int = 10**9) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        check_zip(str(path), path.stat().st_size, max_inflated)
    return caught.value


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    error = looked_over(office.bomb(tmp_path / "bomb.docx", 20 * 1024**2), max_inflated=10 * 1024**2)
    assert error.code is ErrorCode.FILE_TOO_LARGE
    assert "20,971,528 bytes" in error.message


def test_a_small_zip_that_unpacks_to_very_much_is_not_unpacked(tmp_path: Path) -> None:
    error = looked_over(office.bomb(tmp_path / "bomb.docx", 100 * 1024**2))
    assert error.code is ErrorCode.FILE_TOO_LARGE
    assert "more than 200 times as many" in error.message


def test_a_zip_that_lies_about_its_sizes_is_damaged(tmp_path: Path) -> None:
    path = office.bomb(tmp_path / "bomb.docx", 100 * 1024**2)
    raw = bytearray(path.read_bytes())
    central = raw.rindex(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<I", 1000)  # the size that comes out (APPNOTE.TXT, 4.3.12)
    path.write_bytes(raw)
    assert looked_over(path).code is ErrorCode.INVALID_DOCUMENT


def test_a_zip_with_a_password_is_refused_as_such(tmp_path: Path) -> None:
    raw = bytearray(office.packed({"word/document.xml": b"words"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path = tmp_path / "a.docx"
    path.write_bytes(raw)
    assert looked_over(path).code is ErrorCode.FILE_ENCRYPTED


def test_a_zip_that_is_packed_in_a_rare_way_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with ZipFile(path, "w", ZIP_LZMA) as archive:
        archive.writestr("word/document.xml", "words")
    assert looked_over(path).code is ErrorCode.INVALID_DOCUMENT


@pytest.mark.parametrize("way", [ZIP_LZMA, ZIP_BZIP2])
def test_a_mark_of_a_book_does_not_let_a_rare_way_through(tmp_path: Path, way: int) -> None:
    path = tmp_path / "a.docx"
    with ZipFile(path, "w", way) as archive:
        archive.writestr("META-INF/container.xml", "<container/>", ZIP_STORED)
        archive.writestr("word/document.xml", "words")
    assert looked_over(path).code is ErrorCode.INVALID_DOCUMENT


def test_a_zip_with_a_wrong_byte_is_damaged(tmp_path: Path) -> None:
    path = office.word(tmp_path / "a.docx")
    raw = bytearray(path.read_bytes())
    raw[200] ^= 0xFF
    path.write_bytes(raw)
    assert looked_over(path).code is ErrorCode.INVALID_DOCUMENT


def test_a_sound_zip_lists_its_members(tmp_path: Path) -> None:
    path = office.epub(tmp_path / "a.epub", "Title", ["<p>Words</p>"])
    zipped = check_zip(str(path), path.stat().st_size, 10**6)
    assert zipped.packed_type == "application/epub+zip"
    assert "book/package.opf" in zipped.names
