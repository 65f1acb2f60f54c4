"""The runs of a paragraph as spans, whatever wraps them, and what is anchored between them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.drawing.equations import linear
from services.worker.office.names import child, content, descendants, full, name_of, value
from services.worker.office.package import Part
from services.worker.office.spans import Spans, joined
from services.worker.office.word.signs import unicode_sign
from services.worker.office.word.story import Beside, checked, selected

UNREAD: Final = frozenset({"w:del", "w:moveFrom", "w:instrText", "w:delText", "w:delInstrText", "w:annotationRef",
                           "w:footnoteRef", "w:endnoteRef", "w:softHyphen", "w:lastRenderedPageBreak"})  # fmt: skip
"""What a reader of the document does not see: tracked deletions, the codes of fields, signs of notes."""
ANCHORED: Final = frozenset({"w:drawing", "w:pict", "w:object"})
SIGNS: Final = {"w:tab": "\t", "w:ptab": "\t", "w:cr": "\n", "w:noBreakHyphen": "\u2011"}
LINK_FIELD: Final = re.compile(r'\s*HYPERLINK\s+(?:"([^"]*)"|([^\s\\"]\S*))(.*)', re.DOTALL)
RUN_PLAIN: Final = Span("")


class Inline:
    """Reads the runs of a story in their order: fields reach over paragraphs."""

    def __init__(self, part: Part, beside: Beside) -> None:
        self._part = part
        self._beside = beside
        self._fields: list[tuple[str, str]] = []  # of each open field its code, and its link once its result begins
        self.anchored: list[Any] = []
        self.comments: list[str] = []
        self.formulas_alone = False

    def spans(self, paragraph: Any) -> Spans:
        """Return the text of a paragraph; what is anchored in it is in `anchored` and `comments` afterwards."""
        self.anchored, self.comments = [], []
        return joined(self._inside(paragraph, RUN_PLAIN))

    def _inside(self, element: Any, style: Span) -> Iterator[Span]:
        for inner in content(element):
            yield from self._one(inner, style)

    def _one(self, element: Any, style: Span) -> Iterator[Span]:
        name = name_of(element)
        if name in ("w:t", "m:t"):
            yield replace(style, text=element.text or "")
        elif name == "w:r":
            yield from self._inside(element, self._styled(element, style))
        elif name in UNREAD or name.endswith("Pr"):
            self._read_code(element, name)
        elif name in SIGNS:
            yield replace(style, text=SIGNS[name])
        elif name in ANCHORED:
            self.anchored.append(element)
        else:
            yield from self._rare(element, name, style)

    def _rare(self, element: Any, name: str, style: Span) -> Iterator[Span]:
        match name:
            case "w:br":
                yield replace(style, text="\n" if value(element, attribute="type") in (None, "textWrapping") else " ")
            case "w:hyperlink":
                yield from self._inside(element, replace(style, link=self._address(element) or style.link))
            case "w:fldSimple":
                link = _link_of(value(element, attribute="instr") or "")
                yield from self._inside(element, replace(style, link=link or style.link))
            case "w:fldChar":
                yield from self._field(element, style)
            case "w:sym":
                yield replace(style, text=self._symbol(element))
            case "w:ruby":
                self._beside.rubies += 1
                base = child(element, "w:rubyBase")
                yield from self._inside(base if base is not None else element, style)
            case "w:footnoteReference" | "w:endnoteReference":
                yield Span(self._beside.footnote(element, endnote=name == "w:endnoteReference"))
            case "w:commentReference":
                self.comments.append(value(element, attribute="id") or "")
            case "m:oMath":
                yield replace(style, text=linear(element), bold=False, italic=False)
            case "w:checkBox":
                yield replace(style, text=checked(element))
            case "w:ddList":
                yield replace(style, text=selected(element))
            case "w:ffData" | "w:txbxContent" | "w:rt":
                pass
            case _:
                yield from self._inside(element, style)

    def _styled(self, run: Any, style: Span) -> Span:
        properties = child(run, "w:rPr")
        link = next((link for _, link in reversed(self._fields) if link), "") or style.link
        if properties is None:
            return replace(style, link=link)
        bold, italic, strike = self._beside.styles.toggles(properties)
        return replace(style, bold=bold, italic=italic, strike=strike, link=link)

    def _field(self, sign: Any, style: Span) -> Iterator[Span]:
        """Follow a field in its complex form (17.16.18): code, result, end."""
        match value(sign, attribute="fldCharType"):
            case "begin":
                self._fields.append(("", ""))
                for form in descendants(sign, "w:checkBox", "w:ddList"):
                    yield from self._one(form, style)
            case "separate" if self._fields:
                code, _ = self._fields[-1]
                self._fields[-1] = (code, _link_of(code))
            case "end" if self._fields:
                self._fields.pop()

    def _read_code(self, element: Any, name: str) -> None:
        if name == "w:instrText" and self._fields:
            code, link = self._fields[-1]
            self._fields[-1] = (code + (element.text or ""), link)

    def _address(self, hyperlink: Any) -> str:
        address = self._part.link(hyperlink.get(full("r:id")))
        anchor = value(hyperlink, attribute="anchor")
        return f"{address}#{anchor}" if address and anchor else address

    def _symbol(self, symbol: Any) -> str:
        sign = unicode_sign(value(symbol, attribute="font") or "", value(symbol, attribute="char") or "")
        if not sign:
            self._beside.notes.add("Signs of fonts that are not Unicode were left out.")
        return sign


def formula_alone(paragraph: Any) -> str:
    """Return the equation of a paragraph that has nothing else, empty for another one."""
    inner = [element for element in content(paragraph) if not name_of(element).endswith("Pr")]
    if not inner or any(name_of(element) not in ("m:oMathPara", "m:oMath") for element in inner):
        return ""
    equations = [math for element in inner for math in descendants(element, "m:oMath")]
    return "\n".join(text for text in (linear(math).strip() for math in equations) if text)


def formula_block(text: str) -> Block:
    """Return an equation that stands for itself."""
    return Block(BlockKind.FORMULA, (Span(text),))


def _link_of(code: str) -> str:
    """Return the address of a HYPERLINK field (17.16.5.25); links within the document have none."""
    found = LINK_FIELD.match(code)
    if not found or "\\l" in (found[1] or found[2] or ""):
        return ""
    return (found[1] or found[2] or "").strip()
