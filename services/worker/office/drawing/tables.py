"""Tables of DrawingML (ISO/IEC 29500-1, 21.1.3). Cells that another one covers are left out."""

from typing import Any, Final

from schemas.blocks import Block, BlockKind, Cell
from services.worker.office.drawing.text import flat_spans
from services.worker.office.names import child, children, number
from services.worker.office.package import Part

MAX_SPAN: Final = 1000
ON: Final = ("1", "true")


def table_block(table: Any, part: Part) -> Block:
    """Return a table; its first row is a header where the table is drawn so."""
    properties = child(table, "a:tblPr")
    header = properties is not None and properties.get("firstRow") in ON
    rows = tuple(
        tuple(
            Cell(
                flat_spans(child(cell, "a:txBody"), part),
                columns=_span(cell, "gridSpan"),
                rows=_span(cell, "rowSpan"),
                header=header and index == 0,
            )
            for cell in children(row, "a:tc")
            if cell.get("hMerge") not in ON and cell.get("vMerge") not in ON
        )
        for index, row in enumerate(children(table, "a:tr"))
    )
    return Block(BlockKind.TABLE, rows=rows)


def _span(cell: Any, name: str) -> int:
    return min(max(number(cell.get(name), 1), 1), MAX_SPAN)
