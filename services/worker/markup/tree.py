"""The tree of a page by the rules of HTML5, walked without recursion. Pure.

The parser is lexbor. Its time grows with the square of the depth and of the attributes of one element, so a caller
bounds it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

TEXT: Final = "-text"
UNSEEN: Final = frozenset(
    {"head", "script", "style", "noscript", "template", "iframe", "object", "select", "textarea", "annotation"}
)
"""Elements whose content a page does not show as its text."""
DRAWING: Final = "svg"
LETTERED: Final = frozenset({"text", "foreignobject"})
"""Elements of a drawing that hold its words."""


class Step(NamedTuple):
    """The start or the end of an element, or a text, whose `tag` is TEXT."""

    node: LexborNode
    tag: str
    start: bool


def parsed(html: str) -> LexborHTMLParser:
    """Return the tree of any text as a page."""
    return LexborHTMLParser(html.encode("utf-8", "replace"))


def title_of(tree: LexborHTMLParser) -> str:
    """Return the text of the page's title, empty without one."""
    found = tree.css_first("title")
    return " ".join(found.text().split()) if found is not None else ""


def steps(root: LexborNode) -> Iterator[Step]:
    """Yield the nodes below a root in document order, without what is not seen; of a drawing its end alone."""
    above: list[tuple[LexborNode, str]] = []
    node = root.child
    while node is not None or above:
        if node is None:
            node, tag = above.pop()
            yield Step(node, tag, start=False)
            node = node.next
            continue
        tag = node.tag or ""
        if tag == TEXT:
            yield Step(node, tag, start=True)
        elif tag == DRAWING:
            yield Step(node, tag, start=False)
        elif not tag.startswith(("-", "!")) and tag not in UNSEEN:
            yield Step(node, tag, start=True)
            above.append((node, tag))
            node = node.child
            continue
        node = node.next


def words_drawn(drawing: LexborNode) -> str:
    """Return the words of a drawing."""
    found = []
    for node in drawing.traverse(include_text=True):
        if node.tag == TEXT and (words := (node.text_content or "").split()) and _is_lettered(node, drawing):
            found.append(" ".join(words))
    return " ".join(found)


def _is_lettered(node: LexborNode, drawing: LexborNode) -> bool:
    above = node.parent
    while above is not None and above.mem_id != drawing.mem_id:
        if (above.tag or "").lower() in LETTERED:
            return True
        above = above.parent
    return False
