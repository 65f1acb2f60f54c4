"""Comments on slides with their authors, in the form before 2021 and in the one since then (MS-PPTX, 2.6)."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.drawing.text import flat_spans
from services.worker.office.names import child, children, descendants, name_of
from services.worker.office.package import DamagedPartError, Part
from services.worker.office.spans import Spans, joined

AUTHORS: Final = ("commentAuthors", "authors")


def author_names(presentation: Part) -> dict[str, str]:
    """Return the names of authors by their id."""
    names = {}
    for kind in AUTHORS:
        for part in presentation.parts(kind):
            try:
                root = part.root
            except DamagedPartError:
                continue
            for author in (*children(root, "p:cmAuthor"), *children(root, "p188:author")):
                names[author.get("id", "")] = author.get("name", "")
    return names


def comment_blocks(slide: Part, authors: dict[str, str], place: str) -> Iterator[Block]:
    """Yield the comments on a slide, each followed by its replies."""
    for part in slide.parts("comments"):
        with slide.package.notes.isolating(f"Comments on {place}"):
            for comment in descendants(part.root, "p:cm", "p188:cm", "p188:reply"):
                spans = _text(comment, part)
                author = authors.get(comment.get("authorId", ""), "")
                if spans:
                    yield Block(BlockKind.COMMENT, joined((Span(f"{author}: " if author else ""), *spans)))


def _text(comment: Any, part: Part) -> Spans:
    if name_of(comment) == "p:cm":
        text = child(comment, "p:text")
        return joined((Span(text.text or ""),)) if text is not None else ()
    return flat_spans(child(comment, "p188:txBody"), part)
