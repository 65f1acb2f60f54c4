"""The words of an Office file by their place, for the net: straight from the XML, by other means than the readers."""

from collections.abc import Iterator
from typing import Any, Final

from services.worker.office.names import chosen, full, name_of
from services.worker.office.package import DamagedPartError, Part

TEXTS: Final = frozenset({"w:t", "a:t", "m:t", "p:text", "c:v", "cx:v"})
ENDS: Final = frozenset({"w:p", "a:p", "w:tab", "w:br", "w:cr", "a:br", "w:tc", "c:pt", "cx:pt", "m:oMath", "p:cm"})
UNSHOWN: Final = frozenset({"w:del", "w:moveFrom", "w:rt", "c:numCache", "c:numLit", "cx:numDim"})
"""What the readers leave out on purpose, and numbers that they write in another form."""
PLACED: Final = "slidenum"


def words_of(part: Part) -> str:
    """Return the words that a part shows; empty for a part that cannot be read, which has a note of its own."""
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
    if name == "c:cat":
        return next(element.getparent().itersiblings(full("c:ser"), preceding=True), None) is not None
    return name == "a:fld" and element.get("type") == PLACED
