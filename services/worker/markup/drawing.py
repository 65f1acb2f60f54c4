"""The words of a drawing (SVG 2, 5.7 and 11): titles, descriptions and texts, in the order of the file. Pure."""

from typing import Any, Final

from lxml import etree

from schemas.blocks import Block, BlockKind, block
from services.worker.blocks import net
from services.worker.markup.page import Page

HTML: Final = "http://www.w3.org/1999/xhtml"
KINDS: Final = {"title": BlockKind.CAPTION, "desc": BlockKind.PICTURE, "text": BlockKind.PARAGRAPH}
UNSEEN: Final = frozenset({"style", "script", "metadata"})
TITLE_CHARS: Final = 300


def read_drawing(content: bytes) -> Page:
    """Return a drawing's words; the title of the whole is that of the page. Raises ValueError for another file."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, recover=True
    )
    root = etree.fromstring(content, parser)
    if root is None or _name(root) != "svg":
        raise ValueError("the file is not SVG")
    blocks: list[Block] = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        name = _name(element)
        if name in KINDS or (isinstance(element.tag, str) and element.tag.startswith(f"{{{HTML}}}")):
            words = " ".join("".join(_texts(element)).split())
            blocks += [block(KINDS.get(name, BlockKind.PARAGRAPH), words)] if words else []
        elif name not in UNSEEN:
            waiting.extend(reversed(element))
    title = next((" ".join("".join(one.itertext()).split()) for one in root if _name(one) == "title"), "")
    lost = net.missing([("in the drawing", _all_words(root))], net.block_texts(blocks))
    return Page(title[:TITLE_CHARS], tuple(blocks), tuple(net.warnings(lost)))


def _texts(element: Any) -> list[str]:
    """Return the pieces of a text, with blanks between those that are placed one by one."""
    pieces = [element.text or ""]
    for inner in element.iterdescendants():
        placed = inner.get("x") is not None or inner.get("y") is not None or str(inner.tag).startswith(f"{{{HTML}}}")
        pieces += [" " if placed else "", inner.text or "", " " if placed else "", inner.tail or ""]
    return pieces


def _all_words(root: Any) -> str:
    """Return all words between tags, by a walk that knows no texts."""
    pieces: list[str] = []
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            pieces.append(one)
        elif _name(one) not in UNSEEN:
            inner = [piece for child in one for piece in (child, child.tail or "")]
            waiting.extend(reversed([one.text or "", *inner]))
    return " ".join(pieces)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
