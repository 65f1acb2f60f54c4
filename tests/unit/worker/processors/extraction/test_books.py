"""EPUBs that other programs made: without their type, with a damaged chapter, in other encodings."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from schemas.errors import ErrorCode
from tests.support.files import office
from tests.support.runs.extraction import CHAPTERS, Desk


def without(path: Path, name: str) -> Path:
    """The same ZIP without a member."""
    kept = {member: office.member(path, member) for member in office.members(path) if member != name}
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        for member, content in kept.items():
            book.writestr(member, content)
    return path


def damaged(path: Path, *words: bytes) -> Path:
    """The same ZIP, its members stored, with other bytes in place of some words: their checksums are wrong."""
    kept = {member: office.member(path, member) for member in office.members(path)}
    with ZipFile(path, "w") as book:
        for member, content in kept.items():
            book.writestr(member, content)
    content = path.read_bytes()
    for word in words:
        content = content.replace(word, b"?" * len(word))
    path.write_bytes(content)
    return path


def test_a_book_without_the_member_for_its_type_is_read(desk: Desk) -> None:
    path = without(office.epub(desk.folder / "a.epub", "A voyage", CHAPTERS), "mimetype")
    result = desk.run(path)
    assert "The ship *landed*." in result.structured_data["extracted_text"]
    assert result.structured_data["title"] == "A voyage"


def test_a_damaged_chapter_costs_its_own_text(desk: Desk) -> None:
    path = damaged(office.epub(desk.folder / "a.epub", "A", CHAPTERS), b"Arrival")
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "Grüße & farewell"
    assert result.notes == ("Chapter 1 is damaged and cannot be read.",)
    assert result.structured_data["metadata"]["failed_pages"] == [1]


def test_a_book_without_any_sound_chapter_is_damaged(desk: Desk) -> None:
    path = damaged(office.epub(desk.folder / "a.epub", "A", CHAPTERS), b"Arrival", b"farewell")
    assert desk.refused(path).code is ErrorCode.INVALID_DOCUMENT


@pytest.mark.parametrize(("label", "codec"), [("windows-1251", "cp1251"), ("gb2312", "gb18030"), ("utf-16", "utf-16")])
def test_a_chapter_is_in_the_encoding_of_its_xml_declaration(desk: Desk, label: str, codec: str) -> None:
    path = office.epub(desk.folder / "a.epub", "A", CHAPTERS)
    words = {"cp1251": "Глава первая", "gb18030": "第一章", "utf-16": "Größe 第一章"}[codec]
    page = f'<?xml version="1.0" encoding="{label}"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head>'
    office.put(path, "book/part 0.xhtml", f'{page}<body><a id="x"/><p>{words}</p></body></html>'.encode(codec))
    result = desk.run(path)
    assert result.structured_data["metadata"]["text_contents"][0]["text"] == words
    assert result.notes == ()
