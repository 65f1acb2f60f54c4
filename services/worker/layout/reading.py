"""The structure of a document's pages: the models' regions as blocks, and nothing of a page's text is lost."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from schemas.blocks import Block, BlockKind, block
from services.worker.blocks.net import MAX_SAMPLE, Missing, block_texts, missing, warnings, words
from services.worker.layout import models
from services.worker.layout.headings import levels_of, without_running
from services.worker.layout.mapping import blocks_of
from services.worker.layout.regions import LAYOUT, PageLayout
from services.worker.pages import mupdf
from services.worker.run.page_care import at_page
from services.worker.run.workspace import ResumePage

READING: Final = "1"
"""The version of how the structure is found: an increment invalidates cached results of jobs with `output`."""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page whose text was read. `recognised`: the paragraphs of OCR; `in_layer`: the text layer has words of it."""

    text: str
    recognised: tuple[Block, ...] = ()
    in_layer: bool = True


@dataclass(frozen=True, slots=True)
class Structure:
    """The blocks of pages, and the pages whose structure could not be found or is not complete.

    `plain` have no blocks, though they have a text layer; `completed` end with lines that the models left out, and
    `lacking` are words that they left out of other lines.
    """

    blocks: Mapping[int, tuple[Block, ...]]
    plain: tuple[int, ...] = ()
    completed: tuple[int, ...] = ()
    lacking: tuple[Missing, ...] = ()

    def notes(self, named: Callable[[Collection[int]], str]) -> Iterator[str]:
        """Yield what is not whole; `named` writes numbers of pages."""
        if self.plain:
            yield f"The structure of {named(self.plain)} could not be found: the text stands there in paragraphs."
        if self.completed:
            yield f"The layout of {named(self.completed)} lacks lines of the text: they stand at the end of the page."
        yield from warnings(self.lacking)


def structure_of(
    path: str, pages: Mapping[int, ReadPage], resume: ResumePage, on_page: Callable[[int], None]
) -> Structure:
    """Find the structure of the pages of a PDF that can be opened; `on_page` is called before each.

    The PDF is opened once more: the models change what they read. Raises MemoryError.
    """
    layouts = _layouts(path, pages, resume, on_page)
    found_on = {number: layout for number, layout in layouts.items() if layout is not None}
    headed = dict(zip(found_on, without_running(list(found_on.values())), strict=True))
    levels = levels_of(headed.values())
    blocks: dict[int, tuple[Block, ...]] = {}
    completed, lacking = [], []
    for number, page in pages.items():
        layout = headed.get(number)
        found = (*(blocks_of(layout, levels) if layout else ()), *page.recognised)
        if not found:
            continue
        added, lost = left_out(page.text, found, f"page {number}")
        completed += [number] if added else []
        lacking += [lost] if lost else []
        blocks[number] = tuple(replace(one, page=number) for one in (*found, *added))
    plain = tuple(number for number in layouts if number not in blocks)
    return Structure(blocks, plain, tuple(completed), tuple(lacking))


def _layouts(
    path: str, pages: Mapping[int, ReadPage], resume: ResumePage, on_page: Callable[[int], None]
) -> dict[int, PageLayout | None]:
    """Return what the models find on the pages whose layer has words; None where they fail."""
    layouts = {}
    with mupdf.open_pdf(path) as document:
        for number, page in pages.items():
            on_page(number)
            if page.in_layer and page.text.strip():
                work = partial(at_page, "layout", number, models.page_layout, document, number)
                layouts[number] = resume("layout", number, work, LAYOUT)
    return layouts


def left_out(text: str, found: Sequence[Block], place: str) -> tuple[tuple[Block, ...], Missing | None]:
    """Return what of a text the blocks lack: the lines that lack at least half of their words, as one paragraph, and
    the words that are missing in other lines."""
    lines = text.splitlines()
    whole: list[str] = []
    names: list[str] = []
    count = 0
    for one in missing(((str(number), line) for number, line in enumerate(lines)), block_texts(found)):
        line = lines[int(one.place)]
        if 2 * one.count >= len(words(line)):
            whole.append(line.strip())
        else:
            names += one.sample
            count += one.count
    added = (block(BlockKind.PARAGRAPH, "\n".join(whole)),) if whole else ()
    return added, Missing(place, count, tuple(names[:MAX_SAMPLE])) if count else None
