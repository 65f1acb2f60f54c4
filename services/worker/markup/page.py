"""A page as blocks, with a net under the reader: words of the source that the blocks lack are named. Pure."""

from typing import Final, NamedTuple

from schemas.blocks import Block, BlockKind, block
from services.worker.blocks import net
from services.worker.markup.reader import blocks_of
from services.worker.markup.source import pieces, plain_text
from services.worker.markup.tree import parsed, title_of
from services.worker.markup.xhtml import as_html, is_xhtml

TITLE_CHARS: Final = 300
WORDS_ALONE: Final = (
    "The structure of the page could not be read: it has headings, lists and tables as plain text, if it has any."
)


class Page(NamedTuple):
    """A page's title, its blocks, and warnings about what is missing."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()


def read_page(html: str, where: str = "") -> Page:
    """Return a page of any kind of text. `where` begins the places in warnings, such as `chapter 3, `.

    The time grows with the square of the depth of hostile pages: the caller bounds it, and reads by `words_of` then.
    """
    if is_xhtml(html):
        html = as_html(html)
    tree = parsed(html)
    title = title_of(tree)
    blocks = tuple(blocks_of(tree.root)) if tree.root is not None else ()
    if not blocks:
        return words_of(html)
    sources = ((f"{where}in <{tag}>" if tag else f"{where}at its start", text) for tag, text in pieces(html))
    lost = net.missing(sources, [title, *net.block_texts(blocks)])
    return Page(title[:TITLE_CHARS], blocks, tuple(net.warnings(lost)))


def words_of(html: str) -> Page:
    """Return a page's words without its structure, a paragraph for each line."""
    lines = plain_text(html).splitlines()
    blocks = tuple(block(BlockKind.PARAGRAPH, line) for line in lines)
    return Page("", blocks, (WORDS_ALONE,) if blocks else ())
