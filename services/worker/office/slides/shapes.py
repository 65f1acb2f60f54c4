"""The shapes of a slide as blocks, in reading order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.drawing.graphics import alternative_text, graphic_blocks, is_graphic
from services.worker.office.drawing.tables import table_block
from services.worker.office.drawing.text import flat_text, text_blocks
from services.worker.office.names import child, content, descendants, name_of
from services.worker.office.package import Part
from services.worker.office.slides.placeholders import FOOTERS, TITLES, Inheritance, type_of
from services.worker.office.spans import plain

ROW: Final = 150_000
"""Shapes whose tops differ by less, in EMU (4 mm), stand in one row."""
SHAPES: Final = frozenset({"p:sp", "p:grpSp", "p:graphicFrame", "p:pic", "p:cxnSp", "p:contentPart"})
OBJECT: Final = "An embedded object ({}) on {} was not read."


@dataclass(slots=True)
class Shapes:
    """Reads the shapes of one slide. `place` names it in notes."""

    part: Part
    inheritance: Inheritance
    place: str
    footers: list[Block] = field(default_factory=list)

    def blocks(self, tree: Any) -> Iterator[Block]:
        """Yield the title, then the other shapes from top to bottom, those of one row from left to right."""
        shapes = [shape for shape in (() if tree is None else content(tree)) if name_of(shape) in SHAPES]
        titles = [shape for shape in shapes if type_of(shape) in TITLES]
        for shape in (*titles, *self._ordered([shape for shape in shapes if type_of(shape) not in TITLES])):
            with self.part.package.notes.isolating(f"A shape on {self.place}"):
                yield from self._shape(shape)

    def _ordered(self, shapes: Sequence[Any]) -> list[Any]:
        boxes = sorted(((self.inheritance.box(shape), place) for place, shape in enumerate(shapes)))
        rows: list[list[tuple[int, int]]] = []
        start = None
        for (top, left), place in boxes:
            if start is None or top - start > ROW:
                rows.append([])
                start = top
            rows[-1].append((left, place))
        return [shapes[place] for row in rows for _, place in sorted(row)]

    def _shape(self, shape: Any) -> Iterator[Block]:
        kind = type_of(shape)
        name = name_of(shape)
        if name == "p:grpSp":
            yield from self.blocks(shape)
        elif name == "p:sp" and kind in FOOTERS:
            self._footer(shape)
        elif name == "p:sp":
            yield from self._text(shape, title=kind in TITLES)
        else:
            yield from self._other(shape)

    def _text(self, shape: Any, *, title: bool) -> Iterator[Block]:
        found = list(text_blocks(child(shape, "p:txBody"), self.part, self.inheritance.list_styles(shape)))
        if title and found:
            yield Block(BlockKind.HEADING, plain(_one_line(found)), 1)
        else:
            yield from found

    def _footer(self, shape: Any) -> None:
        text = flat_text(child(shape, "p:txBody"), self.part)
        if text:
            self.footers.extend(_as(BlockKind.PAGE_FOOTER, text_blocks(child(shape, "p:txBody"), self.part)))

    def _other(self, element: Any) -> Iterator[Block]:
        """Yield tables, charts, SmartArt and words about pictures; note what only its program shows."""
        for inner in content(element):
            match name_of(inner):
                case "a:tbl":
                    yield table_block(inner, self.part)
                case "p:cNvPr":
                    yield from alternative_text(inner)
                case "p:oleObj":
                    self.part.package.notes.add(OBJECT.format(inner.get("progId") or "of a program", self.place))
                    yield from self._other(inner)
                case "p:txBody" | "a:txBody":
                    yield from text_blocks(inner, self.part)
                case _ if is_graphic(inner):
                    yield from graphic_blocks(inner, self.part, self.place)
                case _:
                    yield from self._other(inner)


def _one_line(blocks: Sequence[Block]) -> Iterator[Span]:
    for number, entry in enumerate(blocks):
        if number:
            yield Span(" ")
        for span in entry.spans:
            yield Span(" ".join(span.text.split("\n")), link=span.link)


def _as(kind: BlockKind, blocks: Iterator[Block]) -> Iterator[Block]:
    for entry in blocks:
        yield Block(kind, entry.spans)


def has_text(shape: Any) -> bool:
    """Whether a shape has any text."""
    return any((element.text or "").strip() for element in descendants(shape, "a:t"))
