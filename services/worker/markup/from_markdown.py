"""Markdown as blocks, by way of the HTML that it means. Pure."""

from schemas.blocks import Block
from services.worker.markup.page import read_page


def blocks_from(markdown: str) -> tuple[Block, ...]:
    """Return the blocks of a text in CommonMark with GitHub's tables and strikethrough."""
    from markdown_it import MarkdownIt  # only few jobs need it

    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    return read_page(html).blocks
