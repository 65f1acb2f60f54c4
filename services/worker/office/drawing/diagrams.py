"""SmartArt (ISO/IEC 29500-1, 21.4): its points as list items, each under the one that it belongs to."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from schemas.blocks import Block, BlockKind
from services.worker.office.drawing.text import BULLET, flat_spans, text_blocks
from services.worker.office.names import child, children, descendants, full, number
from services.worker.office.package import Part
from services.worker.office.spans import Spans

DATA: Final = full("r:dm")
SHOWN: Final = (None, "node", "asst")
"""Types of points with text of the author's (21.4.7.50); others are parts of the picture."""
MAX_DEPTH: Final = 9


def diagram_blocks(pointer: Any, part: Part) -> Iterator[Block]:
    """Yield the points of the SmartArt that `dgm:relIds` points to. Raises DamagedPartError without its data."""
    data = part.related(pointer.get(DATA))
    found = list(_points(data))
    if not any(block.text for block in found):
        found = [block for drawn in data.parts("diagramDrawing") for block in _drawn(drawn)]
    yield from found


def _points(data: Part) -> Iterator[Block]:
    texts: dict[str, Spans] = {}
    for point in descendants(data.root, "dgm:pt"):
        if point.get("type") in SHOWN:
            texts[point.get("modelId", "")] = flat_spans(child(point, "dgm:t"), data)
    below = _children(data.root, texts)
    inner = {child for ids in below.values() for child in ids}
    seen: set[str] = set()
    for start in (*(point for point in texts if point not in inner), *texts):
        yield from _branch(start, 1, below, texts, seen)


def _children(root: Any, texts: dict[str, Spans]) -> dict[str, list[str]]:
    """Return the ids of points by that of the point they belong to, in their order (21.4.3.1)."""
    links: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for link in descendants(root, "dgm:cxn"):
        if link.get("type", "parOf") == "parOf" and link.get("srcId") in texts and link.get("destId") in texts:
            links[link.get("srcId")].append((number(link.get("srcOrd")), link.get("destId")))
    return {source: [point for _, point in sorted(targets)] for source, targets in links.items()}


def _branch(
    start: str, depth: int, below: dict[str, list[str]], texts: dict[str, Spans], seen: set[str]
) -> Iterator[Block]:
    """Yield a point and those below it, each once: a file may link them in a circle."""
    waiting = [(start, depth)]
    while waiting:
        point, level = waiting.pop()
        if point in seen:
            continue
        seen.add(point)
        if texts[point]:
            yield Block(BlockKind.LIST_ITEM, texts[point], min(level, MAX_DEPTH), BULLET)
        waiting.extend((inner, level + 1) for inner in reversed(below.get(point, [])))


def _drawn(drawing: Part) -> Iterator[Block]:
    """Yield the texts of the picture that was stored of a SmartArt."""
    for body in descendants(drawing.root, "dsp:txBody"):
        yield from text_blocks(body, drawing)


def has_points(part: Part) -> bool:
    """Whether a part is the data of a SmartArt."""
    return next(children(part.root, "dgm:ptLst"), None) is not None
