"""The work on a table with few cells in many columns grows with its cells, not with all its places."""

from collections.abc import Iterable, Sequence
from types import ModuleType

import pytest

from schemas.blocks import Cell, Span
from services.worker.blocks import grid
from services.worker.office.sheets import cells, tables

SIDE = 200


class Watched(Sequence[int]):
    """Numbers in their order, which count how many of them were read."""

    reads = 0

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = sorted(numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place):
        found = self._numbers[place]
        Watched.reads += len(found) if isinstance(place, slice) else 1
        return found


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Watched, "reads", 0)

    def watched(module: ModuleType) -> None:
        monkeypatch.setattr(module, "sorted", Watched, raising=False)

    return watched


def test_short_rows_of_a_table_that_is_not_padded_end_at_their_last_cell(watch, monkeypatch) -> None:
    monkeypatch.setattr(grid, "MAX_PLACES", 1000)
    watch(grid)
    cell = Cell((Span("x"),))
    table = grid.grid([[cell] * SIDE, *([[cell]] * SIDE)])
    assert [len(row) for row in table] == [SIDE, *([1] * SIDE)]
    assert 0 < Watched.reads < SIDE * 15


def test_short_rows_of_a_sheet_end_at_their_last_cell(watch) -> None:
    watch(tables)
    sheet = cells.Grid(rows={0: dict.fromkeys(range(SIDE), "x"), **{row: {0: "x"} for row in range(1, SIDE)}})
    (table,) = tables.sheet_tables(sheet, {})
    assert [len(row) for row in table.rows] == [SIDE, *([1] * (SIDE - 1))]
    assert 0 < Watched.reads < SIDE * 15
