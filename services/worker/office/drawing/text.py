"""Text of DrawingML: paragraphs (ISO/IEC 29500-1, 21.1.2) as blocks.

Which paragraphs are list items depends on bullets, which paragraphs inherit: `ListStyles` holds what they inherit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.drawing.equations import linear
from services.worker.office.names import child, content, descendants, full, name_of, number
from services.worker.office.numerals import numeral
from services.worker.office.package import Part
from services.worker.office.spans import Spans, joined, lines

RELATION: Final = full("r:id")
PLACED: Final = ("slidenum",)
"""Fields whose text only states the place of a slide."""
NUMERALS: Final = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
FORMS: Final = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}
BULLET: Final = "-"


@dataclass(frozen=True, slots=True)
class ListStyles:
    """The properties of paragraphs by level, from the nearest to the farthest place that may set them."""

    places: tuple[Any, ...] = ()

    def bullet(self, paragraph: Any, level: int) -> Any:
        """Return the element that sets a paragraph's bullet or number; None for a paragraph without one."""
        levels = (child(place, f"a:lvl{level + 1}pPr") for place in self.places)
        for properties in (child(paragraph, "a:pPr"), *levels):
            if properties is None:
                continue
            for element in properties:
                match name_of(element):
                    case "a:buNone":
                        return None
                    case "a:buChar" | "a:buAutoNum" | "a:buBlip":
                        return element
        return None


PLAIN: Final = ListStyles()


@dataclass(slots=True)
class _Counters:
    """The running numbers of a text's list items by level."""

    counts: dict[int, tuple[str, int]] = field(default_factory=dict)

    def marker(self, bullet: Any, level: int) -> str:
        """Return the marker of the next item."""
        for deeper in [known for known in self.counts if known > level]:
            del self.counts[deeper]
        if name_of(bullet) != "a:buAutoNum":
            self.counts.pop(level, None)
            return BULLET
        kind = bullet.get("type", "")
        known, count = self.counts.get(level, ("", 0))
        count = count + 1 if known == kind else number(bullet.get("startAt"), 1)
        self.counts[level] = (kind, count)
        style = next((name for prefix, name in NUMERALS.items() if kind.startswith(prefix)), "decimal")
        form = next((form for ending, form in FORMS.items() if kind.endswith(ending)), "{}.")
        return form.format(numeral(count, style))

    def pause(self) -> None:
        """End the lists: a paragraph without a number stands between."""
        self.counts.clear()


def text_blocks(body: Any, part: Part, styles: ListStyles = PLAIN) -> Iterator[Block]:
    """Yield the paragraphs of a text body: list items where they have bullets or numbers, else paragraphs."""
    counters = _Counters()
    for paragraph in paragraphs(body):
        spans = paragraph_spans(paragraph, part)
        if not spans:
            continue
        level = _level(paragraph)
        bullet = styles.bullet(paragraph, level)
        if bullet is None:
            counters.pause()
            yield Block(BlockKind.PARAGRAPH, spans)
        else:
            yield Block(BlockKind.LIST_ITEM, spans, level + 1, counters.marker(bullet, level))


def _level(paragraph: Any) -> int:
    properties = child(paragraph, "a:pPr")
    return 0 if properties is None else min(max(number(properties.get("lvl")), 0), 8)


def paragraphs(body: Any) -> Iterator[Any]:
    """Yield the paragraphs below an element, of alternatives only those that are read."""
    if body is None:
        return
    for inner in content(body):
        if name_of(inner) == "a:p":
            yield inner
        else:
            yield from paragraphs(inner)


def flat_spans(body: Any, part: Part) -> Spans:
    """Return all paragraphs of a text body, under one another."""
    return lines([paragraph_spans(paragraph, part) for paragraph in paragraphs(body)])


def flat_text(body: Any, part: Part) -> str:
    """Return all paragraphs of a text body in one line."""
    return " ".join("".join(span.text for span in flat_spans(body, part)).split())


def paragraph_spans(paragraph: Any, part: Part) -> Spans:
    """Return the runs of a paragraph, with bold, italic, strike and links."""
    return joined(_spans(paragraph, part))


def _spans(element: Any, part: Part) -> Iterator[Span]:
    for inner in content(element):
        match name_of(inner):
            case "a:r":
                yield _run(inner, part)
            case "a:fld":
                if inner.get("type") not in PLACED:
                    yield _run(inner, part)
            case "a:br":
                yield Span("\n")
            case "a:t":
                yield Span(inner.text or "")
            case "m:oMath":
                yield Span(linear(inner))
            case "a:pPr" | "a:rPr" | "a:endParaRPr":
                pass
            case _:
                yield from _spans(inner, part)


def _run(run: Any, part: Part) -> Span:
    text = "".join(element.text or "" for element in descendants(run, "a:t"))
    properties = child(run, "a:rPr")
    if properties is None:
        return Span(text)
    click = child(properties, "a:hlinkClick")
    return Span(
        text,
        bold=properties.get("b") in ("1", "true"),
        italic=properties.get("i") in ("1", "true"),
        strike=properties.get("strike", "noStrike") != "noStrike",
        link=part.link(click.get(RELATION)) if click is not None else "",
    )
