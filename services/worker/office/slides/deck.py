"""A presentation: its slides in their order, each as blocks."""

from collections.abc import Iterator
from typing import Final

from schemas.blocks import Block, BlockKind
from services.worker.office.names import child, children, full
from services.worker.office.package import DamagedPartError, Package, Part, require_root
from services.worker.office.slides.comments import author_names, comment_blocks
from services.worker.office.slides.placeholders import Inheritance, static_shapes
from services.worker.office.slides.shapes import Shapes, has_text
from services.worker.office.spans import Spans, lines, lines_of

USUAL: Final = "ppt/presentation.xml"
OFF: Final = ("0", "false")


class Deck:
    """An open presentation. Raises DamagedPartError for a file without one."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._presentation = package.main(USUAL)
        root = require_root(self._presentation, "p:presentation")
        self._slides = [entry.get(full("r:id")) for entry in children(child(root, "p:sldIdLst"), "p:sldId")]
        self._styles = child(root, "p:defaultTextStyle")
        self._authors = author_names(self._presentation)
        self._static: set[str] = set()

    def __len__(self) -> int:
        return len(self._slides)

    def slide(self, number: int) -> Part | None:
        """Return the part of a slide by its number from 1; None, with a note, for a missing one."""
        try:
            return self._presentation.related(self._slides[number - 1])
        except DamagedPartError:
            self._package.notes.add(f"Slide {number} is missing in the file.")
            return None

    def blocks(self, slide: Part, number: int) -> Iterator[Block]:
        """Yield what a slide shows, its footers, the speaker's notes and the comments on it."""
        place = f"slide {number}"
        with self._package.notes.isolating(f"Slide {number}"):
            if slide.root.get("show") in OFF:
                self._package.notes.add(f"Slide {number} is hidden when the presentation is shown.")
            inheritance = Inheritance(slide, self._styles)
            shapes = Shapes(slide, inheritance, place)
            yield from shapes.blocks(child(slide.root, "p:cSld", "p:spTree"))
            yield from shapes.footers
            yield from self._repeated(slide, inheritance)
        for notes in slide.parts("notesSlide"):
            with self._package.notes.isolating(f"The notes of slide {number}"):
                yield from self._notes(notes, place)
        yield from comment_blocks(slide, self._authors, place)

    def _repeated(self, slide: Part, inheritance: Inheritance) -> Iterator[Block]:
        """Yield the texts that a layout or master puts on its slides, with the first of these slides."""
        if slide.root.get("showMasterSp") in OFF:
            return
        for part in (inheritance.layout, inheritance.master):
            if part is None or part.name in self._static:
                continue
            self._static.add(part.name)
            shapes = Shapes(part, inheritance, "a layout of slides")
            for shape in static_shapes(part):
                if has_text(shape):
                    spans = _text([*shapes.blocks([shape])])
                    if spans:
                        yield Block(BlockKind.PAGE_FOOTER, spans)

    def _notes(self, notes: Part, place: str) -> Iterator[Block]:
        shapes = Shapes(notes, Inheritance(notes, None), f"the notes of {place}")
        spans = _text([*shapes.blocks(child(notes.root, "p:cSld", "p:spTree"))])
        if spans:
            yield Block(BlockKind.NOTE, spans)
        yield from shapes.footers


def _text(blocks: list[Block]) -> Spans:
    return lines([line for entry in blocks for line in lines_of(entry)])
