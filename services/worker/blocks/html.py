"""Blocks as HTML: elements that state what a block is, without scripts and styles. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Final

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.blocks.inline import LINE_END, joined, safe_link
from services.worker.blocks.lists import label_of, number_of

ELEMENTS: Final = {
    BlockKind.PARAGRAPH: ("<p>", "</p>"),
    BlockKind.QUOTE: ("<blockquote><p>", "</p></blockquote>"),
    BlockKind.CAPTION: ('<p class="caption">', "</p>"),
    BlockKind.PICTURE: ("<figure><figcaption>", "</figcaption></figure>"),
    BlockKind.FORMULA: ('<p class="formula">', "</p>"),
    BlockKind.NOTE: ('<aside class="note"><p>', "</p></aside>"),
    BlockKind.COMMENT: ('<aside class="comment"><p>', "</p></aside>"),
    BlockKind.PAGE_HEADER: ('<header class="page"><p>', "</p></header>"),
    BlockKind.PAGE_FOOTER: ('<footer class="page"><p>', "</p></footer>"),
}
STYLES: Final = (("bold", "strong"), ("italic", "em"), ("strike", "s"), ("code", "code"))


def document(title: str, parts: Sequence[Sequence[Block]], unit: str | None = None) -> str:
    """Return a whole page. `unit` is the kind of the parts, each of which becomes a section; None: without sections."""
    bodies = [fragment(part) for part in parts]
    if unit:
        numbers = [next((block.page for block in part if block.page), place) for place, part in enumerate(parts, 1)]
        bodies = [
            f'<section class="{unit}" data-number="{number}">\n{body}</section>\n'
            for number, body in zip(numbers, bodies, strict=True)
        ]
    head = f'<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
    return f"<!DOCTYPE html>\n<html>\n<head>\n{head}</head>\n<body>\n{''.join(bodies)}</body>\n</html>\n"


def fragment(blocks: Iterable[Block]) -> str:
    """Return blocks as elements, one a line; running headers and footers are marked by their class."""
    written = []
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        if kind is BlockKind.LIST_ITEM:
            written.append(_list(list(group)))
        else:
            written.extend(_element(block) for block in group)
    return "".join(f"{element}\n" for element in written if element)


def _element(block: Block) -> str:
    match block.kind:
        case BlockKind.TABLE:
            return _table(block.rows)
        case BlockKind.HEADING:
            level = min(max(block.level, 1), 6)
            return f"<h{level}>{_inline(block.spans)}</h{level}>"
        case BlockKind.CODE:
            language = f' class="language-{escape(block.marker)}"' if block.marker else ""
            return f"<pre><code{language}>{escape(block.text)}</code></pre>"
    start, end = ELEMENTS[block.kind]
    inner = _inline(block.spans)
    return f"{start}{inner}{end}" if inner else ""


def _inline(spans: Iterable[Span]) -> str:
    return "".join(_span(span) for span in joined(spans)).strip()


def _span(span: Span) -> str:
    body = "<br>".join(escape(line) for line in LINE_END.split(span.text))
    for style, tag in reversed(STYLES):
        if getattr(span, style):
            body = f"<{tag}>{body}</{tag}>"
    link = safe_link(span.link)
    return f'<a href="{escape(link)}">{body}</a>' if link else body


def _table(rows: Sequence[Sequence[Cell]]) -> str:
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>\n" for row in rows)
    return f"<table>\n{lines}</table>"


def _cell(cell: Cell) -> str:
    tag = "th" if cell.header else "td"
    columns = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
    rows = f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
    return f"<{tag}{columns}{rows}>{_inline(cell.spans)}</{tag}>"


def _list(items: Sequence[Block]) -> str:
    """Return the items as nested lists. A marker that is neither a bullet nor a number stands in the text."""
    written: list[str] = []
    above: list[tuple[int, str]] = []
    for item in items:
        level, tag = max(item.level, 1), "ul" if number_of(item.marker) is None else "ol"
        while above and (above[-1][0] > level or (above[-1][0] == level and above[-1][1] != tag)):
            written.append(f"</li></{above.pop()[1]}>")
        if above and above[-1][0] == level:
            written.append("</li>\n")
        else:
            written.append(f"<{tag}>")
            above.append((level, tag))
        written.append(_item(item))
    written.extend(f"</li></{tag}>" for _, tag in reversed(above))
    return "".join(written)


def _item(item: Block) -> str:
    number, label = number_of(item.marker), label_of(item.marker)
    start = "<li>" if number is None else f'<li value="{number}">'
    return f"{start}{escape(label)}{' ' if label else ''}{_inline(item.spans)}"
