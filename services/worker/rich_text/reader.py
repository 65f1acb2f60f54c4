"""A Rich Text document as blocks: paragraphs, headings, tables, notes, headers and footers. Pure.

Groups that hold no text are skipped by their name (RTF 1.9.1, "Contents of an RTF File"), and so are those that are
marked as optional, except those of text boxes and comments.
"""

from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.office.spans import Spans, joined, lines, plain
from services.worker.rich_text.tokens import RichToken, tokens

SKIPPED: Final = frozenset(
    {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "listtable", "listoverridetable", "fldinst",
     "bkmkstart", "bkmkend", "generator", "xe", "tc", "rxe", "txe", "filetbl", "revtbl", "rsidtbl", "sp", "sn", "sv",
     "shprslt", "template", "datafield", "formfield", "private", "ftnsep", "ftnsepc", "ftncn", "aftnsep",
     "aftnsepc", "aftncn", "atrfstart", "atrfend", "themedata", "colorschememapping", "upr",
     "nonesttables"}
)  # fmt: skip
OPTIONAL_READ: Final = frozenset({"shpinst", "annotation", "shptxt", "shpgrp", "ud", "nesttableprops"})
"""Groups marked as optional that hold text, or texts of tables."""
APART: Final = {
    "footnote": BlockKind.NOTE,
    "annotation": BlockKind.COMMENT,
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), BlockKind.PAGE_HEADER),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), BlockKind.PAGE_FOOTER),
}
LETTERS: Final = {
    "tab": "\t", "line": "\n", "lbr": "\n", "emdash": "\u2014", "endash": "\u2013", "emspace": "\u2003",
    "enspace": "\u2002", "qmspace": "\u2005", "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "\u201c", "rdblquote": "\u201d",
    "nbsp": "\xa0", "nbhyphen": "\u2011",
}  # fmt: skip
CHARSETS: Final = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
    254: "cp437", 255: "cp850",
}  # fmt: skip
"""Code pages of fonts by `fcharset`; the others are in that of the document."""
PAGES: Final = {10000: "mac_roman", 65001: "utf-8", 708: "iso8859-6"}
UNREAD: Final = {
    "pict": "Pictures in the document were not read.",
    "object": "Embedded objects in the document were not read.",
}
MAX_DEPTH: Final = 10_000
MAX_TITLE: Final = 300


class RichText(NamedTuple):
    """A document's title, blocks and warnings."""

    title: str
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _State:
    """What a group sets, and what its end takes back."""

    skipped: str = ""  # the name of the group that is left out
    apart: BlockKind | None = None
    bold: bool = False
    italic: bool = False
    strike: bool = False
    hidden: bool = False
    font: int = 0
    after_unicode: int = 1  # letters that stand for a `u` where it is not known
    in_table: bool = False
    level: int = 0  # of a heading, 0 without
    style: int = 0


@dataclass(slots=True)
class _Flow:
    """The text in the making: of the document, or of a note beside it."""

    blocks: list[Block] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    cell: list[Spans] = field(default_factory=list)
    row: list[Cell] = field(default_factory=list)
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    behind: list[Block] = field(default_factory=list)  # what comes when the paragraph has ended


def read_rich_text(content: bytes) -> RichText:
    """Return the blocks of a document."""
    reader = _Reader()
    for token in tokens(content):
        reader.take(token)
    return reader.finished()


class _Reader:
    def __init__(self) -> None:
        self._states = [_State()]
        self._flows = [_Flow()]
        self._fonts: dict[int, str] = {}
        self._page = "cp1252"
        self._letters = bytearray()  # not decoded yet: a letter may have several bytes
        self._to_skip = 0
        self._high = 0  # the first half of a pair of surrogates
        self._starred = False
        self._begins = False
        self._headings: dict[int, int] = {}
        self._title = ""
        self._seen: set[str] = set()
        self._notes: dict[str, None] = {}

    def take(self, token: RichToken) -> None:
        if token.letters:
            self._add_letters(token.letters)
        elif token.word == "{":
            self._flush()
            if len(self._states) >= MAX_DEPTH:
                raise RecursionError("groups nest too deeply")
            self._states.append(replace(self._states[-1]))
            self._begins = True
            return
        elif token.word == "}":
            self._end_group()
        elif token.word == "*":
            self._starred = True
            return
        else:
            self._word(token.word, token.number)
        self._begins = self._starred = False

    def finished(self) -> RichText:
        self._flush()
        while len(self._flows) > 1:
            self._end_apart(BlockKind.NOTE)
        flow = self._flows[0]
        _end_paragraph(flow, self._heading())
        _end_row(flow)
        _end_table(flow)
        flow.blocks += flow.behind
        return RichText(" ".join(self._title.split())[:MAX_TITLE], tuple(flow.blocks), tuple(self._notes))

    # --- groups -------------------------------------------------------------------------------------------------

    def _begin(self, word: str) -> None:
        """Begin the group that is named by its first word."""
        state = self._states[-1]
        if word in UNREAD and not state.skipped:
            self._notes[UNREAD[word]] = None
        if word == "title" and state.skipped == "info":
            state.skipped = "title"
        elif not state.skipped and (word in SKIPPED or (self._starred and word not in OPTIONAL_READ)):
            state.skipped = word
        elif word == "ud" and state.skipped == "upr":
            state.skipped = ""
        elif word in APART and not state.skipped:
            state.apart = APART[word]
            self._flows.append(_Flow())

    def _end_group(self) -> None:
        self._flush()
        if len(self._states) < 2:
            return
        ended = self._states.pop()
        if ended.apart is not None and self._states[-1].apart is not ended.apart and len(self._flows) > 1:
            self._end_apart(ended.apart)

    def _end_apart(self, kind: BlockKind) -> None:
        """Put what stands beside the text behind the paragraph that it belongs to; headers and footers once."""
        flow = self._flows.pop()
        _end_paragraph(flow, 0)
        _end_row(flow)
        _end_table(flow)
        spans = lines([one.spans for one in flow.blocks if not one.rows])
        words = "".join(span.text for span in spans).strip()
        outer = self._flows[0]
        outer.behind += [one for one in flow.blocks if one.rows]
        if not words or (kind in (BlockKind.PAGE_HEADER, BlockKind.PAGE_FOOTER) and words in self._seen):
            return
        self._seen.add(words)
        (outer.behind if outer.spans or outer.rows else outer.blocks).append(Block(kind, spans))

    # --- words --------------------------------------------------------------------------------------------------

    def _word(self, word: str, number: int | None) -> None:
        if word == "u":
            self._unicode(number or 0)
            return
        self._flush()
        if self._begins:
            self._begin(word)
        state = self._states[-1]
        if word in SETTERS:
            setattr(state, SETTERS[word], number != 0)
        elif word == "plain":
            state.bold = state.italic = state.strike = state.hidden = False
        elif word == "uc":
            state.after_unicode = min(max(number or 0, 0), 10)
        elif word == "ansicpg":
            self._page = PAGES.get(number or 0, f"cp{number}")
        elif word == "mac":
            self._page = "mac_roman"
        elif word == "deff" or word == "f":
            state.font = number or 0
        elif word == "fcharset" and number in CHARSETS:
            self._fonts[state.font] = CHARSETS[number]
        elif state.skipped == "stylesheet":
            self._define(word, number)
        elif not state.skipped:
            self._shape(word, number)

    def _define(self, word: str, number: int | None) -> None:
        """Take the definition of a style, whose outline level makes its paragraphs headings."""
        if word == "s":
            self._states[-1].style = number or 0
        elif word == "outlinelevel" and number is not None and 0 <= number < 9:
            self._headings[self._states[-1].style] = min(number + 1, 6)

    def _shape(self, word: str, number: int | None) -> None:
        """Take a word that shapes the text."""
        flow, state = self._flows[-1], self._states[-1]
        if word in LETTERS:
            self._add(LETTERS[word])
        elif word == "pard":
            state.in_table, state.level, state.style = False, 0, 0
        elif word == "intbl":
            state.in_table = True
        elif word == "outlinelevel":
            state.level = number + 1 if number is not None and 0 <= number < 9 else 0
        elif word == "s":
            state.style = number or 0
        elif word in ("cell", "nestcell"):
            _end_cell(flow)
        elif word in ("row", "nestrow"):
            _end_row(flow)
        elif word in ("par", "sect", "page"):
            if state.in_table or flow.row:
                _end_line(flow)
            else:
                _end_paragraph(flow, self._heading())

    def _heading(self) -> int:
        state = self._states[-1]
        return min(state.level, 6) or self._headings.get(state.style, 0)

    # --- letters ------------------------------------------------------------------------------------------------

    def _add_letters(self, letters: bytes) -> None:
        skipped = min(self._to_skip, len(letters))
        self._to_skip -= skipped
        self._letters += letters[skipped:]

    def _unicode(self, number: int) -> None:
        self._flush()
        code = number % 0x10000
        self._to_skip = self._states[-1].after_unicode
        if 0xD800 <= code < 0xDC00:
            self._high = code
            return
        if 0xDC00 <= code < 0xE000 and self._high:
            code = 0x10000 + (self._high - 0xD800) * 0x400 + code - 0xDC00
        elif code == 0 or 0xD800 <= code < 0xE000:  # no letter, nor half of one
            code = 0xFFFD
        self._high = 0
        self._add(chr(code))

    def _flush(self) -> None:
        self._to_skip = 0
        if self._letters:
            codec = self._fonts.get(self._states[-1].font, self._page)
            words = _decoded(bytes(self._letters), codec)
            self._letters.clear()
            self._add(words)

    def _add(self, text: str) -> None:
        state = self._states[-1]
        if state.skipped == "title":
            self._title += text
        elif state.skipped or state.hidden or (state.apart is BlockKind.COMMENT and not text.strip()):
            return
        else:
            flow = self._flows[-1]
            flow.spans.append(Span(text, bold=state.bold, italic=state.italic, strike=state.strike))


SETTERS: Final = {"b": "bold", "i": "italic", "strike": "strike", "v": "hidden", "deleted": "hidden"}


def _decoded(letters: bytes, codec: str) -> str:
    try:
        return letters.decode(codec, "replace")
    except LookupError:
        return letters.decode("cp1252", "replace")


def _end_line(flow: _Flow) -> None:
    """End a paragraph within a cell."""
    flow.cell.append(joined(flow.spans))
    flow.spans.clear()


def _end_cell(flow: _Flow) -> None:
    _end_line(flow)
    flow.row.append(Cell(lines(flow.cell)))
    flow.cell.clear()


def _end_row(flow: _Flow) -> None:
    if flow.row:
        flow.rows.append(tuple(flow.row))
        flow.row.clear()


def _end_table(flow: _Flow) -> None:
    if flow.rows:
        flow.blocks.append(Block(BlockKind.TABLE, rows=tuple(flow.rows)))
        flow.rows.clear()


def _end_paragraph(flow: _Flow, heading: int) -> None:
    if flow.cell:
        _end_line(flow)
        flow.spans += lines(flow.cell)
        flow.cell.clear()
    spans = joined(flow.spans)
    flow.spans.clear()
    if spans:
        _end_row(flow)
        _end_table(flow)
        kind = BlockKind.HEADING if heading else BlockKind.PARAGRAPH
        flow.blocks.append(Block(kind, plain(spans) if heading else spans, heading))
    if not flow.rows:
        flow.blocks += flow.behind
        flow.behind.clear()
