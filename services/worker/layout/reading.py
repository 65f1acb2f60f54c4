"""The structure of a document's pages: the models' regions as blocks, and nothing of a page's text is lost."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from schemas.blocks import Block, BlockKind, block
from services.worker.blocks.net import block_texts, missing
from services.worker.blocks.outputs import paragraphs
from services.worker.layout import models
from services.worker.layout.mapping import blocks_of, levels_of
from services.worker.layout.regions import LAYOUT, PageLayout
from services.worker.pages import mupdf
from services.worker.run.page_care import at_page
from services.worker.run.workspace import ResumePage


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page whose text was read. `recognised`: the paragraphs of OCR; `in_layer`: the text layer has words of it."""

    text: str
    recognised: tuple[Block, ...] = ()
    in_layer: bool = True


@dataclass(frozen=True, slots=True)
class Structure:
    """The blocks of each page, and the pages whose structure could not be found or is not complete.

    `plain` have the paragraphs of their text alone; `completed` end with lines that the models left out.
    """

    blocks: Mapping[int, tuple[Block, ...]]
    plain: tuple[int, ...] = ()
    completed: tuple[int, ...] = ()

    def notes(self, named: Callable[[Collection[int]], str]) -> Iterator[str]:
        """Yield what is not whole; `named` writes numbers of pages."""
        if self.plain:
            yield f"The structure of {named(self.plain)} could not be found: the text stands there in paragraphs."
        if self.completed:
            yield f"The layout of {named(self.completed)} lacks lines of the text: they stand at the end of the page."


def structure_of(
    path: str, pages: Mapping[int, ReadPage], resume: ResumePage, on_page: Callable[[int], None]
) -> Structure:
    """Find the structure of the pages of a PDF that can be opened; `on_page` is called before each.

    The PDF is opened once more: the models change what they read. Raises MemoryError.
    """
    layouts: dict[int, PageLayout | None] = {}
    with mupdf.open_pdf(path) as document:
        for number, page in pages.items():
            on_page(number)
            if page.in_layer and page.text.strip():
                work = partial(at_page, "layout", number, models.page_layout, document, number)
                layouts[number] = resume("layout", number, work, LAYOUT)
    levels = levels_of(layout for layout in layouts.values() if layout is not None)
    blocks, plain, completed = {}, [], []
    for number, page in pages.items():
        layout = layouts.get(number)
        found = (*(blocks_of(layout, levels) if layout else ()), *page.recognised)
        if not found:
            found = paragraphs(page.text)
            plain += [number] if number in layouts else []
        elif lost := left_out(page.text, found):
            found = (*found, *lost)
            completed.append(number)
        blocks[number] = tuple(replace(one, page=number) for one in found)
    return Structure(blocks, tuple(plain), tuple(completed))


def left_out(text: str, found: Sequence[Block]) -> tuple[Block, ...]:
    """Return the lines of a text that have words which the blocks lack, as paragraphs."""
    lines = text.splitlines()
    lacking = missing(((str(place), line) for place, line in enumerate(lines)), block_texts(found))
    return tuple(block(BlockKind.PARAGRAPH, lines[int(one.place)].strip()) for one in lacking)
