"""Rich Text documents and XLS spreadsheets through the `extraction` processor."""

from datetime import date
from pathlib import Path

import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import BlockKind
from schemas.errors import ErrorCode
from services.worker.processors.extraction.binary_sheets import CELLS_ALONE
from services.worker.rich_text.reader import read_rich_text
from tests.support.runs.extraction import Desk

RICH = r"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 Cyr;}}
{\stylesheet{\s1\outlinelevel0 heading 1;}}{\info{\title The plan}}{\header\pard LETTERHEAD\par}
\pard\s1 First\par\pard Gr\'fc\'dfe \u8364?5 {\b bold} {\f1\'cf\'f0\'e8}{\footnote \pard A note}\par
\trowd\intbl Name\cell Value\cell\row\trowd\intbl Hub\cell 7\cell\row
\pard {\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt BOX\par}}{\*\unknown gone}After\par{\pict 00ff}}"""


def test_a_rich_text_keeps_headings_tables_notes_and_boxes(desk: Desk) -> None:
    result = desk.run(desk.file("a.rtf", RICH))
    assert result.structured_data["extracted_text"] == (
        "LETTERHEAD\n\n# First\n\nGrüße €5 **bold** При\n\n> **Note:** A note\n\n"
        "| Name | Value |\n| --- | --- |\n| Hub | 7 |\n\nBOX\n\nAfter"
    )
    assert (result.structured_data["title"], result.notes) == (
        "The plan",
        ("Pictures in the document were not read.",),
    )


def test_a_rich_text_that_is_called_doc_is_read(desk: Desk) -> None:
    assert "Grüße" in desk.text(desk.file("a.doc", RICH))


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_any_letters_that_were_written_are_read(text: str) -> None:
    units = text.encode("utf-16-le")
    codes = (int.from_bytes(units[place : place + 2], "little", signed=True) for place in range(0, len(units), 2))
    written = "".join(f"\\u{code}?" for code in codes)
    blocks = read_rich_text(f"{{\\rtf1 {written}\\par}}".encode()).blocks
    assert [(one.kind, one.text) for one in blocks] == [(BlockKind.PARAGRAPH, text)]


@pytest.mark.parametrize("code", [56832, -8704, 0])
@pytest.mark.parametrize("form", ["json", "html", "markdown", "text"])
def test_what_is_no_letter_in_a_rich_text_is_replaced(desk: Desk, code: int, form: str) -> None:
    result = desk.run(desk.file("a.rtf", f"{{\\rtf1 a\\u{code}?b\\par}}"), output=form)
    assert result.structured_data["extracted_text"] == "a\ufffdb"


def test_hyphens_and_blanks_that_keep_a_line_together_take_no_letter(desk: Desk) -> None:
    assert desk.text(desk.file("a.rtf", r"{\rtf1 100\~km and {\uc2 A\_4\par}}")) == "100\xa0km and A\u20114"


@given(st.text(st.sampled_from("\\{}'*ubcelrowpardintbl0 \n"), max_size=200))
def test_whatever_stands_in_a_rich_text_has_blocks(text: str) -> None:
    assert isinstance(read_rich_text(b"{\\rtf1 " + text.encode()).blocks, tuple)


def test_an_xls_gives_its_cells_and_names_what_is_not_read(desk: Desk) -> None:
    result = desk.run(xls(desk.folder / "a.xls"))
    assert result.structured_data["extracted_text"] == (
        "## Costs\n\n| Item | Price |\n| --- | --- |\n| Größe | 3.5 |\n| Paid | TRUE |\n| When | 2024-05-01 |"
    )
    assert (result.notes, result.pages) == ((CELLS_ALONE,), 1)


def test_a_damaged_xls_is_refused_and_not_a_crash(desk: Desk) -> None:
    whole = xls(desk.folder / "a.xls").read_bytes()
    for end in (2000, 4000):
        assert desk.refused(desk.file("b.xls", whole[:end])).code in (
            ErrorCode.INVALID_DOCUMENT,
            ErrorCode.UNSUPPORTED_FILE_TYPE,
        )


@pytest.mark.parametrize("content", ["<html><table><tr><td>a<td>b</table>", "a\tb\n"])
def test_a_table_of_another_kind_that_is_called_xls_is_read(desk: Desk, content: str) -> None:
    assert "a" in desk.text(desk.file("a.xls", content))


def xls(path: Path) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Costs")
    shown_date = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for row, (name, value) in enumerate([("Item", "Price"), ("Größe", 3.5), ("Paid", True)]):
        sheet.write(row, 0, name)
        sheet.write(row, 1, value)
    sheet.write(3, 0, "When")
    sheet.write(3, 1, date(2024, 5, 1), shown_date)
    book.save(str(path))
    return path
