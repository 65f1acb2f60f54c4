"""The blocks of a page: its tree, walked from the first word to the last. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from selectolax.lexbor import LexborNode

from schemas.blocks import Block, BlockKind, Span
from services.worker.markup.elements import CELLS, HEADINGS, LISTS, PREFORMATTED, ROW_GROUPS, STYLES, is_inline
from services.worker.markup.line import Line
from services.worker.markup.lists import OpenList
from services.worker.markup.tables import OpenTable
from services.worker.markup.tree import DRAWING, TEXT, steps, words_drawn

LANGUAGES: Final = ("language-", "lang-", "highlight-source-")
CAPTIONS: Final = frozenset({"caption", "figcaption"})
QUOTE: Final = "blockquote"


def blocks_of(root: LexborNode) -> list[Block]:
    """Return the blocks below an element."""
    reader = _Reader()
    for node, tag, start in steps(root):
        if tag == TEXT:
            reader.text(node.text_content or "")
        elif start:
            reader.begin(node, tag)
        else:
            reader.end(node, tag)
    return reader.finished()


@dataclass(slots=True)
class _Item:
    """An item of a list while it is read: its lines, and the place of its block as soon as it has one."""

    level: int
    marker: str
    place: int | None = None
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class _Flow:
    """A sequence of blocks, that of the page or of a cell, and the elements around its next line."""

    blocks: list[Block] = field(default_factory=list)
    lists: list[OpenList] = field(default_factory=list)
    items: list[_Item] = field(default_factory=list)
    heading: int = 0
    quotes: int = 0
    captions: int = 0

    def add(self, spans: tuple[Span, ...], pictures: bool) -> None:
        """Add a line as the block that the elements around it make it."""
        if self.heading:
            self.blocks.append(Block(BlockKind.HEADING, spans, self.heading))
        elif self.captions:
            self.blocks.append(Block(BlockKind.CAPTION, spans))
        elif self.items and self._add_to_item(self.items[-1], spans):
            pass
        elif self.quotes:
            self.blocks.append(Block(BlockKind.QUOTE, spans))
        else:
            self.blocks.append(Block(BlockKind.PICTURE if pictures else BlockKind.PARAGRAPH, spans))

    def _add_to_item(self, item: _Item, spans: tuple[Span, ...]) -> bool:
        """Add a line to an item; whether that is possible: not after another block within it."""
        if item.place is None:
            item.place = len(self.blocks)
            self.blocks.append(Block(BlockKind.LIST_ITEM, spans, item.level, item.marker))
        elif item.place == len(self.blocks) - 1:
            item.spans.append(Span("\n"))
        else:
            return False
        item.spans.extend(spans)
        return True

    def end_item(self) -> None:
        """End the innermost item: its block gets all of its lines."""
        item = self.items.pop()
        if item.place is not None:
            self.blocks[item.place] = Block(BlockKind.LIST_ITEM, tuple(item.spans), item.level, item.marker)


class _Reader:
    """Reads the steps of a tree. Elements that it has no method for begin and end a line, or are within one."""

    def __init__(self) -> None:
        self._line = Line()
        self._flow = _Flow()
        self._flows: list[_Flow] = []
        self._tables: list[OpenTable] = []
        self._code: list[str] | None = None
        self._code_depth = 0
        self._language = ""
        self._maths = 0
        self._rubies: list[bool] = []

    def finished(self) -> list[Block]:
        self._flush()
        return self._flow.blocks

    def text(self, text: str) -> None:
        if self._code is None:
            self._line.add(text)
        else:
            self._code.append(text)

    def begin(self, node: LexborNode, tag: str) -> None:
        if self._code is not None:
            self._begin_in_code(tag)
        elif tag in _BEGINNINGS:
            if not self._is_within_line(tag):
                self._flush()
            _BEGINNINGS[tag](self, node, tag)
        elif not self._is_within_line(tag):
            self._flush()

    def end(self, node: LexborNode, tag: str) -> None:
        if self._code is not None:
            self._end_in_code(tag)
            return
        if not self._is_within_line(tag):
            self._flush()
        if tag in _ENDINGS:
            _ENDINGS[tag](self, node, tag)

    def _is_within_line(self, tag: str) -> bool:
        return is_inline(tag) or tag == "br" or tag == "math" or self._maths > 0

    def _flush(self) -> None:
        if self._flow.heading:
            self._line.add(" ")
            return
        self._take()

    def _take(self) -> None:
        spans, pictures = self._line.take()
        if spans:
            self._flow.add(spans, pictures)

    # --- within a line ------------------------------------------------------------------------------------------

    def _begin_style(self, node: LexborNode, tag: str) -> None:
        self._line.begin(tag)

    def _end_style(self, node: LexborNode, tag: str) -> None:
        self._line.end(tag)

    def _begin_link(self, node: LexborNode, tag: str) -> None:
        self._line.links.append((node.attributes.get("href") or "").strip())

    def _end_link(self, node: LexborNode, tag: str) -> None:
        self._line.links.pop()

    def _line_end(self, node: LexborNode, tag: str) -> None:
        self._line.end_line()

    def _picture(self, node: LexborNode, tag: str) -> None:
        self._line.add(node.attributes.get("alt") or "", picture=True)

    def _quotation_mark(self, node: LexborNode, tag: str) -> None:
        self._line.add('"')

    def _begin_ruby(self, node: LexborNode, tag: str) -> None:
        self._rubies.append(node.css_first("rp") is not None)

    def _end_ruby(self, node: LexborNode, tag: str) -> None:
        self._rubies.pop()

    def _begin_reading(self, node: LexborNode, tag: str) -> None:
        """Put the reading of a ruby in brackets, unless the page has some for it."""
        if self._rubies and not self._rubies[-1]:
            self._line.add("(")

    def _end_reading(self, node: LexborNode, tag: str) -> None:
        if self._rubies and not self._rubies[-1]:
            self._line.add(")")

    def _begin_maths(self, node: LexborNode, tag: str) -> None:
        self._maths += 1

    def _end_maths(self, node: LexborNode, tag: str) -> None:
        self._maths -= 1

    # --- blocks -------------------------------------------------------------------------------------------------

    def _begin_heading(self, node: LexborNode, tag: str) -> None:
        self._flow.heading = HEADINGS[tag]

    def _end_heading(self, node: LexborNode, tag: str) -> None:
        self._take()
        self._flow.heading = 0

    def _begin_quote(self, node: LexborNode, tag: str) -> None:
        self._flow.quotes += 1

    def _end_quote(self, node: LexborNode, tag: str) -> None:
        self._flow.quotes -= 1

    def _begin_caption(self, node: LexborNode, tag: str) -> None:
        self._flow.captions += 1

    def _end_caption(self, node: LexborNode, tag: str) -> None:
        self._flow.captions -= 1

    def _begin_list(self, node: LexborNode, tag: str) -> None:
        attributes = node.attributes
        self._flow.lists.append(OpenList.of(tag, attributes.get("type") or "", attributes.get("start") or ""))

    def _end_list(self, node: LexborNode, tag: str) -> None:
        self._flow.lists.pop()

    def _begin_item(self, node: LexborNode, tag: str) -> None:
        lists = self._flow.lists
        marker = lists[-1].marker(node.attributes.get("value") or "") if lists else "-"
        self._flow.items.append(_Item(max(len(lists), 1), marker))

    def _end_item(self, node: LexborNode, tag: str) -> None:
        self._flow.end_item()

    def _drawing(self, node: LexborNode, tag: str) -> None:
        self._line.add(words_drawn(node), picture=True)
        self._flush()

    # --- text between fences --------------------------------------------------------------------------------------

    def _begin_code(self, node: LexborNode, tag: str) -> None:
        self._take()
        self._code, self._code_depth = [], 1
        inner = node.child
        inside = inner.attributes if inner is not None and inner.tag == "code" else {}
        self._language = _language(f"{node.attributes.get('class') or ''} {inside.get('class') or ''}")

    def _begin_in_code(self, tag: str) -> None:
        assert self._code is not None
        if tag in PREFORMATTED:
            self._code_depth += 1
        if tag == "br":
            self._code.append("\n")

    def _end_in_code(self, tag: str) -> None:
        assert self._code is not None
        if tag in PREFORMATTED:
            self._code_depth -= 1
        if self._code_depth == 0:
            text = "".join(self._code).strip("\r\n")
            if text.strip():
                self._flow.blocks.append(Block(BlockKind.CODE, (Span(text),), marker=self._language))
            self._code = None
        elif not is_inline(tag) and tag != "br" and self._code and not self._code[-1].endswith("\n"):
            self._code.append("\n")

    # --- tables -------------------------------------------------------------------------------------------------

    def _begin_table(self, node: LexborNode, tag: str) -> None:
        self._take()
        self._tables.append(OpenTable((node.attributes.get("role") or "").strip().lower()))

    def _end_table(self, node: LexborNode, tag: str) -> None:
        self._flow.blocks.extend(self._tables.pop().blocks())

    def _begin_rows(self, node: LexborNode, tag: str) -> None:
        if self._tables:
            self._tables[-1].group += 1

    def _begin_row(self, node: LexborNode, tag: str) -> None:
        if self._tables:
            self._tables[-1].begin_row()

    def _begin_cell(self, node: LexborNode, tag: str) -> None:
        self._take()
        self._flows.append(self._flow)
        self._flow = _Flow()

    def _end_cell(self, node: LexborNode, tag: str) -> None:
        self._take()
        blocks, self._flow = self._flow.blocks, self._flows.pop()
        if not self._tables:
            self._flow.blocks.extend(blocks)
            return
        attributes = node.attributes
        spans = (attributes.get("colspan") or "", attributes.get("rowspan") or "")
        self._tables[-1].add(blocks, *spans, header=tag == "th")


def _language(names: str) -> str:
    for name in names.split():
        for prefix in LANGUAGES:
            if name.startswith(prefix) and len(name) > len(prefix):
                return name.removeprefix(prefix)
    return ""


_Handler = Callable[[_Reader, LexborNode, str], None]
_BEGINNINGS: Final[dict[str, _Handler]] = {
    **dict.fromkeys(STYLES, _Reader._begin_style),
    **dict.fromkeys(HEADINGS, _Reader._begin_heading),
    **dict.fromkeys(LISTS, _Reader._begin_list),
    **dict.fromkeys(PREFORMATTED, _Reader._begin_code),
    **dict.fromkeys(CAPTIONS, _Reader._begin_caption),
    **dict.fromkeys(CELLS, _Reader._begin_cell),
    **dict.fromkeys(ROW_GROUPS, _Reader._begin_rows),
    "a": _Reader._begin_link,
    "br": _Reader._line_end,
    "img": _Reader._picture,
    "q": _Reader._quotation_mark,
    "ruby": _Reader._begin_ruby,
    "rt": _Reader._begin_reading,
    "math": _Reader._begin_maths,
    "li": _Reader._begin_item,
    QUOTE: _Reader._begin_quote,
    "table": _Reader._begin_table,
    "tr": _Reader._begin_row,
}
_ENDINGS: Final[dict[str, _Handler]] = {
    **dict.fromkeys(STYLES, _Reader._end_style),
    **dict.fromkeys(HEADINGS, _Reader._end_heading),
    **dict.fromkeys(LISTS, _Reader._end_list),
    **dict.fromkeys(CAPTIONS, _Reader._end_caption),
    **dict.fromkeys(CELLS, _Reader._end_cell),
    "a": _Reader._end_link,
    "q": _Reader._quotation_mark,
    "ruby": _Reader._end_ruby,
    "rt": _Reader._end_reading,
    "math": _Reader._end_maths,
    "li": _Reader._end_item,
    QUOTE: _Reader._end_quote,
    "table": _Reader._end_table,
    DRAWING: _Reader._drawing,
}
