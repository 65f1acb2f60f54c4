"""The net under the readers: the words of a file's parts by place, straight from their XML, against those read."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from schemas.blocks import Block
from services.worker.blocks.net import block_texts, missing, warnings
from services.worker.office.names import chosen, full, name_of, value
from services.worker.office.package import DamagedPartError, Part

PLACES: Final = {
    "header": "in a header of {}",
    "footer": "in a footer of {}",
    "footnotes": "in the footnotes of {}",
    "endnotes": "in the endnotes of {}",
    "comments": "in the comments on {}",
    "threadedComment": "in the comments on {}",
    "notesSlide": "in the notes of {}",
    "chart": "in a chart of {}",
    "chartEx": "in a chart of {}",
    "chartUserShapes": "in a chart of {}",
    "diagramData": "in a SmartArt of {}",
    "drawing": "in the shapes of {}",
}
"""Parts that belong to a document, slide or sheet by the kind of their relationship."""
ONCE: Final = frozenset({"header", "footer"})
"""Parts whose equal texts are read once."""
TEXTS: Final = frozenset({"w:t", "a:t", "m:t", "s:t", "p:text", "tc:text", "c:v", "cx:v"})
ENDS: Final = frozenset({"w:p", "a:p", "w:tab", "w:br", "w:cr", "a:br", "w:tc", "c:pt", "cx:pt", "m:oMath", "p:cm",
                         "s:comment", "tc:threadedComment"})  # fmt: skip
UNSHOWN: Final = frozenset({"w:del", "w:moveFrom", "w:rt", "c:numCache", "c:numLit", "cx:numDim", "s:rPh"})
"""What the readers leave out on purpose, and numbers that they write in another form."""
NUMBER_OF_SLIDE: Final = "slidenum"


def lost(part: Part, place: str, blocks: Iterable[Block], *, cells: bool = False) -> list[str]:
    """Return a warning for each place of a document, slide or sheet whose words are not all in its blocks.

    `cells`: the part is a sheet, whose cells are counted by their reader.
    """
    sources = [(found, words) for found, words in _sources(part, place, cells) if words.strip()]
    return warnings(missing(sources, block_texts(blocks))) if sources else []


def _sources(start: Part, place: str, cells: bool) -> Iterator[tuple[str, str]]:
    """Yield the places that belong to a part with their words, the part itself first."""
    if not cells:
        yield f"in {place}", words_of(start)
    waiting = [start]
    seen = {start.name}
    once: set[str] = set()
    while waiting:
        part = waiting.pop()
        threads = any(relation.kind == "threadedComment" for relation in part.relations.values())
        for relation in part.relations.values():
            kind, name = relation.kind, relation.target
            if kind not in PLACES or relation.external or name in seen or name not in part.package:
                continue
            if kind == "comments" and threads:
                continue  # it repeats the threads
            seen.add(name)
            found = part.package.part(name)
            waiting.append(found)
            words = words_of(found)
            if kind in ONCE and (words.strip().isdigit() or " ".join(words.split()) in once):
                continue
            once.add(" ".join(words.split()))
            yield PLACES[kind].format(place), words


def words_of(part: Part) -> str:
    """Return the words that a part shows; empty for a part that cannot be read, about which there is another note."""
    try:
        return "".join(_pieces(part.root))
    except DamagedPartError:
        return ""


def _pieces(root: Any) -> Iterator[str]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        name = name_of(element)
        if name in TEXTS or (name == "cx:pt" and len(element) == 0):
            yield element.text or ""
        if name in ENDS:
            yield "\n"
        if name == "mc:AlternateContent":
            branch = chosen(element)
            waiting.extend([] if branch is None else [branch])
        elif name not in UNSHOWN and not _is_repeated(element, name):
            waiting.extend(reversed(element))


def _is_repeated(element: Any, name: str) -> bool:
    """Whether the result has this once or not at all: categories of later series, the number of a slide."""
    match name:
        case "c:cat":
            return next(element.getparent().itersiblings(full("c:ser"), preceding=True), None) is not None
        case "w:footnote" | "w:endnote":
            return value(element, attribute="type") not in (None, "normal")  # lines between text and notes
        case "a:fld":
            return bool(element.get("type") == NUMBER_OF_SLIDE)
    return False
