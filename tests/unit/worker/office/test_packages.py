"""Odd packages that Office opens are read, and a refusal states the reason."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.files import office, ooxml
from tests.support.runs.extraction import Desk

MAKERS: dict[str, Callable[[Path], Path]] = {
    "docx": lambda path: office.word(path, "Title", "Heading", ["Words of the text"]),
    "pptx": lambda path: office.slides(path, [("Heading", "Words of the text", "notes")]),
    "xlsx": lambda path: office.sheets(path, {"Heading": [["Words of the text", 5]]}),
}
KINDS = sorted(MAKERS)
MORE_ENDINGS = {
    "docx": ("docm", "dotx", "dotm"),
    "pptx": ("pptm", "ppsx", "ppsm", "potx", "potm"),
    "xlsx": ("xlsm", "xltx", "xltm"),
}
Change = Callable[[str, bytes], tuple[str, bytes]]


def strict(name: str, content: bytes) -> tuple[str, bytes]:
    """A part in the Strict form (ISO/IEC 29500-1, annex A)."""
    for old in ("officeDocument", "wordprocessingml", "spreadsheetml", "presentationml", "drawingml"):
        for use in ("main", "relationships"):
            transitional = f"http://schemas.openxmlformats.org/{old}/2006/{use}"
            content = content.replace(transitional.encode(), f"http://purl.oclc.org/ooxml/{old}/{use}".encode())
    return name, content


def utf_16(name: str, content: bytes) -> tuple[str, bytes]:
    """The parts of the text in UTF-16."""
    if not name.endswith(("document.xml", "slide1.xml", "workbook.xml", "sheet1.xml")):
        return name, content
    return name, content.decode().replace("UTF-8", "UTF-16").encode("utf-16")


CHANGES: dict[str, Change] = {
    "upper case": lambda name, content: (name if name.startswith(("[", "_rels")) else name.upper(), content),
    "lower case": lambda name, content: (name.lower(), content),
    "backslashes": lambda name, content: (name.replace("/", "\\"), content),
    "Strict": strict,
    "UTF-16": utf_16,
}


def changed(path: Path, change: Change) -> None:
    names = office.members(path)
    path.write_bytes(office.packed(dict(change(name, office.member(path, name)) for name in names)))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_package_has_the_same_text(desk: Desk, kind: str, change: str) -> None:
    path = MAKERS[kind](desk.folder / f"a.{kind}")
    usual = desk.run(path)
    changed(path, CHANGES[change])
    odd = desk.run(path)
    assert "Words of the text" in usual.structured_data["extracted_text"]
    assert odd.structured_data["extracted_text"] == usual.structured_data["extracted_text"]
    assert (odd.notes, odd.pages) == (usual.notes, usual.pages)


@pytest.mark.parametrize(("kind", "ending"), [(kind, ending) for kind in KINDS for ending in MORE_ENDINGS[kind]])
def test_templates_shows_and_files_with_macros_are_read(desk: Desk, kind: str, ending: str) -> None:
    path = MAKERS[kind](desk.folder / f"a.{kind}").rename(desk.folder / f"a.{ending}")
    result = desk.run(path)
    assert "Words of the text" in result.structured_data["extracted_text"]
    assert result.structured_data["metadata"]["mimeType"].startswith("application/vnd.")


@pytest.mark.parametrize("kind", KINDS)
def test_a_main_part_of_another_name_is_found_by_its_relationship(desk: Desk, kind: str) -> None:
    folder, main = {"docx": ("word", "document"), "pptx": ("ppt", "presentation"), "xlsx": ("xl", "workbook")}[kind]
    path = MAKERS[kind](desk.folder / f"a.{kind}")
    office.rewrite(path, "_rels/.rels", f"/{main}.xml".encode(), b"/main.xml")
    changed(path, lambda name, content: (name.replace(f"/{main}.xml", "/main.xml"), content))
    assert f"{folder}/main.xml" in office.members(path)
    assert "Words of the text" in desk.text(path)


def test_a_damaged_binary_spreadsheet_is_named_as_such(desk: Desk) -> None:
    content = office.packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x83\x01"})
    error = desk.refused(desk.file("a.xlsb", content))
    assert error.code is ErrorCode.INVALID_DOCUMENT
    assert "a binary spreadsheet (XLS, XLSB)" in error.message


def test_a_foreign_form_of_the_format_is_unsupported_and_not_damaged(desk: Desk) -> None:
    path = MAKERS["xlsx"](desk.folder / "a.xlsx")
    office.rewrite(path, "xl/workbook.xml", b"spreadsheetml/2006/main", b"spreadsheetml/2005/beta")
    error = desk.refused(path)
    assert error.code is ErrorCode.UNSUPPORTED_FILE_TYPE
    assert "Save it again with a current program." in error.message


def test_a_text_that_ends_early_is_given_up_to_there_with_a_note(desk: Desk) -> None:
    path = ooxml.word(desk.folder / "a.docx", ooxml.line("first") + ooxml.line("second"))
    content = office.member(path, "word/document.xml")
    office.put(path, "word/document.xml", content[: content.index(b"second")])
    result = desk.run(path)
    assert result.structured_data["extracted_text"] == "first"
    assert result.notes == ("The part word/document.xml of the file is damaged; some of it may be missing.",)


NEEDED = (
    "[Content",
    "_rels/.rels",
    "word/document.xml",
    "ppt/presentation.xml",
    "ppt/_rels/presentation",
    "ppt/slides/slide1.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook",
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
)
"""Parts without which the text cannot be found."""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_a_part_beside_the_text_may_be_anything(desk: Desk, kind: str, data: st.DataObject) -> None:
    path = MAKERS[kind](desk.folder / f"a.{kind}")
    part = data.draw(st.sampled_from([name for name in office.members(path) if not name.startswith(NEEDED)]))
    content = data.draw(st.sampled_from([b"", b"<broken", b"<a/>", b"\xff\xfe", bytes(100), b"<a>" * 300]))
    office.put(path, part, content)
    outcome = desk.outcome(path)
    assert not isinstance(outcome, ProcessingError), outcome
    assert "Words of the text" in outcome.structured_data["extracted_text"]
