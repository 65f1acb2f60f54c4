"""Structure of PDFs whose Markdown is known: order of words, headings, tables; beside the plain text and pymupdf4llm.

The folder holds `NAME.pdf` and `NAME.md`, in one place or in folders `pdf` and `markdown` beside each other, as the
sample of READoc has them (github.com/icip-cas/READoc). Tables are compared where there is a `NAME.html` with them.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean
from time import process_time
from typing import Any, Final, NamedTuple

from bench import structure_scores
from bench.report import SkippedError, Table
from schemas.blocks import Block
from services.worker.blocks.outputs import written
from services.worker.layout import models
from services.worker.layout.reading import ReadPage, structure_of
from services.worker.markup.from_markdown import blocks_from
from services.worker.markup.page import read_page
from services.worker.pages import mupdf

FOLDER: Final = "PIPEROLL_BENCH_STRUCTURE"
"""The environment variable that names the folder."""


class _Document(NamedTuple):
    """A PDF, its Markdown, and the HTML of its tables, empty if it is not known."""

    path: Path
    markdown: str
    html: str


class _Answer(NamedTuple):
    """What a reader makes of a PDF, and how many pages it has."""

    markdown: str
    blocks: list[Block]
    pages: int


class _Scores(NamedTuple):
    """The scores of one document, and the CPU time for a page."""

    order: float
    headings: float | None
    tables: float | None
    seconds: float


async def measure(data: Path) -> Table:
    """Read each PDF of the folder by each reader; `data` is not used. Raises SkippedError without a folder."""
    folder = os.environ.get(FOLDER)
    if not folder:
        raise SkippedError(f"skipped: {FOLDER} names no folder of PDFs and their Markdown")
    documents = list(_documents(Path(folder)))
    if not documents:
        raise SkippedError(f"skipped: {folder} has no PDF with its Markdown")
    _read_structure(documents[0].path)  # loads the models
    rows = [_row(name, documents, read) for name, read in READERS.items()]
    note = (
        f"{len(documents)} PDFs. NID: normalised edit distance of the words in order; MHS: edit distance of the trees "
        "of headings; TEDS: of tables as trees (bench/structure_scores.py). Means over documents, of MHS and TEDS over "
        "those that have headings or tables. The definitions are this project's: other figures are not comparable. "
        "Aims: NID 0.95, MHS 0.75, TEDS 0.75."
    )
    return Table("Structure of PDFs", ("Reader", "NID", "MHS", "TEDS", "CPU s/page"), rows, note)


def _documents(folder: Path) -> Iterable[_Document]:
    for path in sorted(folder.rglob("*.pdf")):
        places = (path.parent, path.parent.parent / "markdown")
        truth = next((place / f"{path.stem}.md" for place in places if (place / f"{path.stem}.md").is_file()), None)
        if truth is not None:
            html = path.with_suffix(".html")
            yield _Document(path, truth.read_text("utf-8"), html.read_text("utf-8") if html.is_file() else "")


def _row(name: str, documents: list[_Document], read: Callable[[Path], _Answer]) -> tuple[str, ...]:
    scores = [_scores(document, read) for document in documents]
    headings = [one.headings for one in scores if one.headings is not None]
    tables = [one.tables for one in scores if one.tables is not None]
    seconds = mean(one.seconds for one in scores)
    return name, f"{mean(one.order for one in scores):.3f}", _mean(headings), _mean(tables), f"{seconds:.3f}"


def _mean(values: list[float]) -> str:
    return f"{mean(values):.3f}" if values else "no data"


def _scores(document: _Document, read: Callable[[Path], _Answer]) -> _Scores:
    began = process_time()
    answer = read(document.path)
    spent = process_time() - began
    return _Scores(
        structure_scores.order(document.markdown, answer.markdown),
        structure_scores.headings(document.markdown, answer.markdown),
        structure_scores.tables(read_page(document.html).blocks, answer.blocks) if document.html else None,
        spent / answer.pages,
    )


def _texts(path: Path) -> dict[int, str]:
    with mupdf.open_pdf(str(path)) as document:
        return {number: mupdf.page_text(document, number) or "" for number in range(1, document.page_count + 1)}


def _read_structure(path: Path) -> _Answer:
    texts = _texts(path)
    pages = {number: ReadPage(text) for number, text in texts.items()}
    structure = structure_of(str(path), pages, lambda step, page, work, kind: work(), lambda page: None)
    parts = [structure.blocks.get(number, ()) for number in texts]
    markdown = written("markdown", "", "page", parts).value
    return _Answer(markdown, [block for part in parts for block in part], len(texts))


def _read_plain(path: Path) -> _Answer:
    texts = _texts(path)
    return _Answer("\n".join(texts.values()), [], len(texts))


def _read_by_peer(path: Path) -> _Answer:
    with mupdf.open_pdf(str(path)) as document:
        parser: Any = models.parser()
        parsed = parser.parse_document(document, use_ocr=False, force_text=True)
        markdown = parsed.to_markdown(header=False, footer=False)
        return _Answer(markdown, list(blocks_from(markdown)), document.page_count)


READERS: Final[dict[str, Callable[[Path], _Answer]]] = {
    "Piperoll": _read_structure,
    "Piperoll, plain text": _read_plain,
    "pymupdf4llm as it is": _read_by_peer,
}
