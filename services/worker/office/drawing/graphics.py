"""Charts and SmartArt that another part holds, and the words that describe a picture."""

import re
from collections.abc import Iterator
from typing import Any, Final

from schemas.blocks import Block, BlockKind, block
from services.worker.office.drawing.charts import chart_blocks
from services.worker.office.drawing.diagrams import diagram_blocks
from services.worker.office.names import full, name_of
from services.worker.office.package import Part

CHART: Final = ("c:chart", "cx:chart")
DIAGRAM: Final = "dgm:relIds"
FILE_NAME: Final = re.compile(r"\S+\.\w{2,5}|[A-Za-z]:\\.*|https?://\S+")


def is_graphic(element: Any) -> bool:
    """Whether an element points to a chart or to SmartArt."""
    name = name_of(element)
    return name == DIAGRAM or (name in CHART and element.get(full("r:id")) is not None)


def graphic_blocks(element: Any, part: Part, place: str) -> Iterator[Block]:
    """Yield the blocks of a chart or of SmartArt; one that cannot be read becomes a note about `place`."""
    if name_of(element) == DIAGRAM:
        with part.package.notes.isolating(f"A SmartArt of {place}"):
            yield from diagram_blocks(element, part)
    else:
        with part.package.notes.isolating(f"A chart of {place}"):
            yield from chart_blocks(part.related(element.get(full("r:id"))))


def alternative_text(properties: Any) -> Iterator[Block]:
    """Yield what the author wrote about a picture; a file's name is not that."""
    text = " ".join((properties.get("descr") or "").split())
    if text and not FILE_NAME.fullmatch(text):
        yield block(BlockKind.PICTURE, text)
