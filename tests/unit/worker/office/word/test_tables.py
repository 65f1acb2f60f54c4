"""Tables of Word: each value stays under its column, whatever cells are merged."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.files.ooxml import line, word
from tests.support.runs.extraction import Desk

Table = list[list[tuple[str, int, int]]]
"""Of each row its cells: text, columns, rows."""


def cell(text: str, columns: int = 1, merge: str = "") -> str:
    span = f'<w:gridSpan w:val="{columns}"/>' if columns > 1 else ""
    return f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{line(text)}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


@st.composite
def merged_tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """The XML of a table with cells merged in both ways, and what its grid shows."""
    height, width = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    owner = [[-1] * width for _ in range(height)]
    shown = [[""] * width for _ in range(height)]
    rows: list[list[str]] = [[] for _ in range(height)]
    number = 0
    for row in range(height):
        column = 0
        while column < width:
            if owner[row][column] >= 0:
                column += 1
                continue
            free = 1
            while column + free < width and owner[row][column + free] < 0:
                free += 1
            columns, lines = draw(st.integers(1, free)), draw(st.integers(1, height - row))
            number += 1
            shown[row][column] = f"value{number}"
            for down in range(lines):
                for across in range(columns):
                    owner[row + down][column + across] = number
                start = down == 0
                merge = "" if lines == 1 else f"<w:vMerge{' w:val=' + chr(34) + 'restart' + chr(34) if start else ''}/>"
                rows[row + down].append((column, cell(shown[row][column] if start else "", columns, merge)))  # type: ignore[arg-type]
            column += columns
    xml = table(*("".join(entry[1] for entry in sorted(row)) for row in rows))
    used = [column for column in range(width) if any(shown[row][column] for row in range(height))]
    return xml, [[line[column] for column in used] for line in shown]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(merged_tables())
def test_merged_cells_keep_each_value_under_its_column(desk: Desk, made: tuple[str, list[list[str]]]) -> None:
    xml, shown = made
    if len(shown[0]) == 1 and len(shown) == 1:
        return
    text = desk.text(word(desk.folder / "a.docx", xml))
    rows = [line for number, line in enumerate(text.splitlines()) if number != 1]
    assert [[value.strip() for value in row.strip("|").split("|")] for row in rows] == shown


def test_cells_merged_as_before_2007_count_as_one(desk: Desk) -> None:
    start, rest = '<w:hMerge w:val="restart"/>', "<w:hMerge/>"
    xml = table(cell("wide", 1, start) + cell("", 1, rest) + cell("c"), cell("1") + cell("2") + cell("3"))
    assert desk.text(word(desk.folder / "a.docx", xml)) == "| wide |  | c |\n| --- | --- | --- |\n| 1 | 2 | 3 |"


def test_a_row_that_begins_later_stays_under_its_columns(desk: Desk) -> None:
    late = f'<w:trPr><w:gridBefore w:val="1"/></w:trPr>{cell("b")}'
    xml = table(cell("A") + cell("B"), late)
    assert desk.text(word(desk.folder / "a.docx", xml)) == "| A | B |\n| --- | --- |\n|  | b |"


def test_a_table_of_one_cell_is_a_frame_around_its_content(desk: Desk) -> None:
    inner = table(cell("a") + cell("b"))
    assert desk.text(word(desk.folder / "a.docx", table(f"<w:tc>{line('framed')}{inner}</w:tc>"))) == (
        "framed\n\n| a | b |\n| --- | --- |"
    )


def test_a_table_within_a_cell_loses_no_word(desk: Desk) -> None:
    inner = table(cell("a") + cell("b"), cell("c") + cell("d"))
    text = desk.text(word(desk.folder / "a.docx", table(f"<w:tc>{line('outer')}{inner}</w:tc>" + cell("beside"))))
    assert text == "| outer a b c d | beside |\n| --- | --- |"


def test_rows_and_cells_are_found_within_controls_and_deleted_rows_are_not(desk: Desk) -> None:
    control = "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>"
    deleted = f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{line('')}</w:tc></w:tr>"
    rows = control.format(f"<w:tr>{cell('a')}{control.format(cell('b'))}</w:tr>") + deleted
    xml = f"<w:tbl>{rows}<w:tr>{cell('c')}{cell('d')}</w:tr></w:tbl>"
    assert desk.text(word(desk.folder / "a.docx", xml)) == "| a | b |\n| --- | --- |\n| c | d |"
