"""The styles of a Word document (ISO/IEC 29500-1, 17.7): what they make of paragraphs and runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.blocks import BlockKind
from services.worker.office.names import child, children, is_on, number, value

HEADING: Final = re.compile(r"heading\s*([1-9])", re.IGNORECASE)
KINDS: Final = {
    "caption": BlockKind.CAPTION,
    "quote": BlockKind.QUOTE,
    "intense quote": BlockKind.QUOTE,
    "html preformatted": BlockKind.CODE,
    "source code": BlockKind.CODE,
    "code": BlockKind.CODE,
}
"""Kinds of paragraphs by the name of their style."""
TITLE: Final = "title"
BODY_LEVEL: Final = 9
"""The outline level of text other than headings (17.3.1.20)."""
MAX_LEVEL: Final = 6
MAX_BASES: Final = 20
"""Styles that a style is based on; more, or a circle, are cut off."""


@dataclass(frozen=True, slots=True)
class NumberedAs:
    """The list that a paragraph belongs to: `num_id` 0 is none; `level` None where the list decides it."""

    num_id: int
    level: int | None = None


class Styles:
    """The styles of a document by id; a style that is missing is known by its id alone."""

    def __init__(self, root: Any) -> None:
        self._styles = {} if root is None else {value(s, attribute="styleId"): s for s in children(root, "w:style")}

    def name(self, style_id: str | None) -> str:
        """Return the name of a style in lower case, empty without a style."""
        style = self._styles.get(style_id)
        named = None if style is None else value(style, "w:name")
        return (named or style_id or "").strip().lower()

    def heading_level(self, paragraph: Any) -> int:
        """Return the level of a heading, 1 to 6; 0 for a paragraph that is none."""
        own = value(paragraph, "w:pPr", "w:outlineLvl")
        style_id = value(paragraph, "w:pPr", "w:pStyle")
        if own is not None and not self._is_toc(style_id):
            return _level(number(own, BODY_LEVEL))
        for style in self._chain(style_id):
            outline = value(style, "w:pPr", "w:outlineLvl")
            if outline is not None:
                return _level(number(outline, BODY_LEVEL))
            by_name = self._level_by_name(value(style, attribute="styleId"))
            if by_name:
                return by_name
        return self._level_by_name(style_id)

    def kind(self, paragraph: Any) -> BlockKind:
        """Return the kind of a paragraph that is neither heading nor list item."""
        names = [self.name(value(s, attribute="styleId")) for s in self._chain(value(paragraph, "w:pPr", "w:pStyle"))]
        return next((KINDS[name] for name in names if name in KINDS), BlockKind.PARAGRAPH)

    def numbering(self, paragraph: Any) -> NumberedAs | None:
        """Return the list that a paragraph belongs to by itself or by its style."""
        own = child(paragraph, "w:pPr", "w:numPr")
        by_style = self._style_numbering(value(paragraph, "w:pPr", "w:pStyle"))
        if own is None:
            return by_style
        level = value(own, "w:ilvl")
        num_id = value(own, "w:numId")
        if num_id is None and by_style is None:
            return None
        return NumberedAs(
            by_style.num_id if num_id is None and by_style else number(num_id),
            by_style.level if level is None and by_style else number(level),
        )

    def toggles(self, run_properties: Any) -> tuple[bool, bool, bool]:
        """Return whether a run is bold, italic and struck through, by its properties and its style."""
        found = []
        for names in (("w:b",), ("w:i",), ("w:strike", "w:dstrike")):
            found.append(any(self._toggle(run_properties, name) for name in names))
        return found[0], found[1], found[2]

    def style_ids(self, paragraph: Any) -> list[str]:
        """Return the id of a paragraph's style and those that it is based on."""
        chain = self._chain(value(paragraph, "w:pPr", "w:pStyle"))
        return [value(style, attribute="styleId") or "" for style in chain]

    def _toggle(self, properties: Any, name: str) -> bool:
        if child(properties, name) is not None:
            return is_on(properties, name)
        return any(
            is_on(style, "w:rPr", name)
            for style in self._chain(value(properties, "w:rStyle"))
            if child(style, "w:rPr", name) is not None
        )

    def _style_numbering(self, style_id: str | None) -> NumberedAs | None:
        level = None
        for style in self._chain(style_id):
            properties = child(style, "w:pPr", "w:numPr")
            if properties is None:
                continue
            named = value(properties, "w:ilvl")
            level = number(named) if level is None and named is not None else level
            num_id = value(properties, "w:numId")
            if num_id is not None:
                return NumberedAs(number(num_id), level)
        return None

    def _chain(self, style_id: str | None) -> Iterator[Any]:
        """Yield a style and those that it is based on."""
        for _ in range(MAX_BASES):
            style = self._styles.get(style_id)
            if style is None:
                return
            yield style
            style_id = value(style, "w:basedOn")

    def _is_toc(self, style_id: str | None) -> bool:
        return self.name(style_id).startswith("toc ")

    def _level_by_name(self, style_id: str | None) -> int:
        name = self.name(style_id)
        if name == TITLE:
            return 1
        found = HEADING.fullmatch(name)
        return min(int(found[1]), MAX_LEVEL) if found else 0


def _level(outline: int) -> int:
    return min(outline + 1, MAX_LEVEL) if 0 <= outline < BODY_LEVEL else 0
