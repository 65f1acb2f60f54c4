"""Charts of any kind (ISO/IEC 29500-1, 21.2): titles, and their numbers as a table with a column for each series.

Which kind it is does not matter: each has series, and each series its name, categories and values.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Cell, Span, block
from services.worker.office.drawing.text import flat_spans, paragraphs, text_blocks
from services.worker.office.names import child, children, descendants, full, name_of, number
from services.worker.office.numbers.formats import shown_number
from services.worker.office.package import DamagedPartError, Part

MAX_POINTS: Final = 100_000
"""Points of one series; a chart with more shows no more of them."""
WORKBOOK: Final = "xl/"
"""Where charts show numbers that stand in cells too."""
Points = dict[int, str]


@dataclass(frozen=True, slots=True)
class Series:
    """A series: its name, the names of its points, and its values by their place."""

    name: str
    categories: Points
    values: Sequence[tuple[str, Points]]
    """The values, and their title where a series has several, such as the sizes of bubbles."""


def chart_blocks(chart: Part) -> Iterator[Block]:
    """Yield the titles of a chart, its numbers, and what is written into it."""
    root = chart.root
    if name_of(root) == "cx:chartSpace":
        yield from _extended(root, chart)
        return
    space = child(root, "c:chart")
    if space is None:
        raise DamagedPartError("no chart")
    for title in descendants(space, "c:title"):
        text = _title(title, chart)
        if text:
            yield block(BlockKind.CAPTION, text)
    series = [_series(element, chart) for element in descendants(child(space, "c:plotArea"), "c:ser")]
    rows = tuple(_rows(series))
    if any(cell.spans for row in rows for cell in row):
        yield Block(BlockKind.TABLE, rows=rows)
    elif series and not chart.name.startswith(WORKBOOK):
        chart.package.notes.add("A chart stores none of its numbers; they are in an embedded file, which was not read.")
    for label in descendants(space, "c:dLbl"):
        yield from text_blocks(child(label, "c:tx", "c:rich"), chart)
    for drawn in children(root, "c:userShapes"):
        shapes = chart.related(drawn.get(full("r:id")))
        for body in descendants(shapes.root, "cdr:txBody"):
            yield from text_blocks(body, shapes)


def _title(title: Any, chart: Part) -> str:
    rich = child(title, "c:tx", "c:rich")
    if rich is not None:
        return " ".join("".join(span.text for span in flat_spans(rich, chart)).split())
    return " ".join(_points(child(title, "c:tx")).values())


def _series(element: Any, chart: Part) -> Series:
    name = " ".join(_points(child(element, "c:tx")).values())
    categories = _points(next(children(element, "c:cat", "c:xVal"), None))
    kinds = (("", next(children(element, "c:val", "c:yVal"), None)), ("size", child(element, "c:bubbleSize")))
    return Series(name, categories, [(title, _points(data)) for title, data in kinds if data is not None])


def _points(data: Any) -> Points:
    """Return the cached points of a reference, or literal ones; of several levels of names all that belong to one."""
    if data is None:
        return {}
    literal = child(data, "c:v")
    if literal is not None:
        return {0: (literal.text or "").strip()}
    levels = list(descendants(data, "c:lvl"))
    if levels:
        return _of_levels(levels)
    found: Points = {}
    for cache in descendants(data, "c:strCache", "c:strLit", "c:numCache", "c:numLit"):
        found |= _of_cache(cache)
    return found


def _of_cache(cache: Any) -> Points:
    numeric = name_of(cache) in ("c:numCache", "c:numLit")
    code = child(cache, "c:formatCode")
    form = (code.text or "") if code is not None else ""
    found: Points = {}
    for point in children(cache, "c:pt"):
        text = child(point, "c:v")
        place = number(point.get("idx"))
        if text is not None and 0 <= place < MAX_POINTS:
            shown = (text.text or "").strip()
            found[place] = shown_number(shown, point.get("formatCode") or form) if numeric else shown
    return found


def _of_levels(levels: Sequence[Any]) -> Points:
    """Return names such as `2024 Q1`: a name of an outer level holds until the next one."""
    inner = [{number(p.get("idx")): _text(child(p, "c:v")) for p in children(level, "c:pt")} for level in levels]
    last = min(max((place for points in inner for place in points), default=-1), MAX_POINTS)
    running = [""] * len(inner)
    found: Points = {}
    for place in range(last + 1):
        running = [points.get(place, before if depth else "") for depth, (points, before) in
                   enumerate(zip(inner, running, strict=True))]  # fmt: skip
        found[place] = " ".join(name for name in reversed(running) if name)
    return found


def _text(element: Any) -> str:
    return "" if element is None else " ".join((element.text or "").split())


def _rows(series: Sequence[Series]) -> Iterator[tuple[Cell, ...]]:
    """Yield a header, and a row for each category. Series with other categories get tables under one another."""
    start = 0
    while start < len(series):
        end = start + 1
        while end < len(series) and _share(series[start], series[end]):
            end += 1
        yield from _table(series[start:end])
        start = end


def _share(one: Series, other: Series) -> bool:
    return not other.categories or one.categories == other.categories


def _table(series: Sequence[Series]) -> Iterator[tuple[Cell, ...]]:
    columns = [
        (f"{entry.name} {title}".strip(), points) for entry in series for title, points in (entry.values or [("", {})])
    ]
    yield tuple(_cells(["", *(name for name, _ in columns)], header=True))
    categories = series[0].categories
    places = sorted({*categories, *(place for _, points in columns for place in points)})
    for place in places:
        yield tuple(_cells([categories.get(place, ""), *(points.get(place, "") for _, points in columns)]))


def _cells(texts: Iterable[str], header: bool = False) -> Iterator[Cell]:
    for text in texts:
        yield Cell((Span(text),) if text else (), header=header)


# --- charts since 2016 ------------------------------------------------------------------------------------------


def _extended(root: Any, chart: Part) -> Iterator[Block]:
    """Yield the titles and data of a chart of a kind that Office has had since 2016 (MS-ODRAWXML, 2.24)."""
    for title in descendants(root, "cx:title", "cx:tx"):
        words = ("".join(run.text or "" for run in descendants(line, "a:t")) for line in paragraphs(title))
        text = " ".join(words)
        text = text or " ".join(element.text or "" for element in descendants(title, "cx:v"))
        if text.strip():
            yield block(BlockKind.CAPTION, " ".join(text.split()))
    for data in descendants(root, "cx:data"):
        columns = [_level(level) for level in descendants(data, "cx:lvl")]
        places = sorted({place for points in columns for place in points})
        if places:
            yield Block(
                BlockKind.TABLE,
                rows=tuple(tuple(_cells(points.get(place, "") for points in columns)) for place in places),
            )


def _level(level: Any) -> Points:
    numeric = name_of(level.getparent()) == "cx:numDim"
    form = level.get("formatCode") or ""
    found: Points = {}
    for point in children(level, "cx:pt"):
        place, text = number(point.get("idx")), (point.text or "").strip()
        if 0 <= place < MAX_POINTS:
            found[place] = shown_number(text, form) if numeric else text
    return found
