"""Tables that are drawn with lines, by the boxes of their cells."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.blocks import Box
from services.worker.layout.ruled import PlacedWord, html_of, is_of
from services.worker.markup.page import read_page


def box(column: int, row: int, columns: int = 1, rows: int = 1) -> Box:
    return 50.0 * column, 20.0 * row, 50.0 * (column + columns), 20.0 * (row + rows)


def word_in(cell: Box, text: str) -> PlacedWord:
    return PlacedWord((cell[0] + 2, cell[1] + 4, cell[0] + 20, cell[1] + 14), text)


def test_a_table_without_merged_cells_needs_no_lines() -> None:
    assert html_of([box(column, row) for column in range(2) for row in range(2)], []) == ""


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3), st.integers(0, 3))
def test_a_merged_cell_covers_the_places_that_its_lines_surround(columns: int, rows: int, left: int, top: int) -> None:
    merged = box(left, top, columns, rows)
    covered = {(left + across, top + down) for across in range(columns) for down in range(rows)}
    others = [box(column, row) for column in range(7) for row in range(7) if (column, row) not in covered]
    html = html_of([merged, *others], [word_in(merged, "<all>")])
    if (columns, rows) == (1, 1):
        assert html == ""
        return
    [table] = read_page(html).blocks
    [cell] = [cell for row in table.rows for cell in row if cell.text]
    assert (cell.text, cell.columns, cell.rows) == ("<all>", columns, rows)
    assert sum(one.columns * one.rows for row in table.rows for one in row) == 49


def test_lines_around_something_else_are_not_those_of_a_table() -> None:
    assert is_of((0, 0, 100, 100), (5, 5, 104, 104))
    assert not is_of((0, 0, 100, 100), (60, 0, 200, 100))
