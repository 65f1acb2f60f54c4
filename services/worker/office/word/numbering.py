"""The numbers of headings, clauses and list items, which a Word document does not store (ISO/IEC 29500-1, 17.9)."""

import re
from dataclasses import dataclass
from typing import Any, Final

from services.worker.office.names import child, children, is_on, number, value
from services.worker.office.numerals import numeral
from services.worker.office.word.styles import NumberedAs

BULLET: Final = "-"
PLACE: Final = re.compile(r"%([1-9])")
LEVELS: Final = 9


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list: the style of its numeral, its text such as `%1.%2`, its first number."""

    style: str
    text: str
    start: int
    legal: bool
    restart: int | None
    """The level, from 1, whose next item starts this level again; 0 for none; None for any higher one."""
    paragraph_style: str


class Numbering:
    """The lists of a document, and how far each has counted."""

    def __init__(self, root: Any) -> None:
        self._abstract: dict[int, Any] = {}
        self._nums: dict[int, Any] = {}
        self._by_style: dict[str, int] = {}
        if root is not None:
            self._abstract = {_id(e, "abstractNumId"): e for e in children(root, "w:abstractNum")}
            self._nums = {_id(e, "numId"): e for e in children(root, "w:num")}
            self._by_style = {value(e, "w:styleLink") or "": place for place, e in self._abstract.items()}
        self._levels: dict[tuple[int, int], Level | None] = {}
        self._counts: dict[int, dict[int, int]] = {}
        self._begun: set[tuple[int, int]] = set()

    def marker(self, numbered: NumberedAs, style_ids: list[str]) -> tuple[str, int] | None:
        """Count a paragraph, and return its marker and level from 1; None where it has no number and no bullet."""
        num_id = numbered.num_id
        level = self._level_of(num_id, style_ids) if numbered.level is None else numbered.level
        level = min(max(level, 0), LEVELS - 1)
        found = self._level(num_id, level)
        if found is None:
            return None
        if found.style == "bullet":
            return BULLET, level + 1
        self._count(num_id, level)
        marker = self._text(num_id, found, level).strip()
        return (marker, level + 1) if marker else None

    def _count(self, num_id: int, level: int) -> None:
        counts = self._counts.setdefault(self._abstract_id(num_id), {})
        override = child(self._override(num_id, level), "w:startOverride")
        if override is not None and (num_id, level) not in self._begun:
            counts[level] = number(value(override))
        else:
            counts[level] = counts[level] + 1 if level in counts else self._start(num_id, level)
        self._begun.add((num_id, level))
        for deeper in [place for place in counts if place > level]:
            known = self._level(num_id, deeper)
            after = None if known is None else known.restart
            if after is None or level < after:
                del counts[deeper]

    def _text(self, num_id: int, found: Level, level: int) -> str:
        counts = self._counts[self._abstract_id(num_id)]

        def shown(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            other = self._level(num_id, place)
            if other is None or place > level:
                return ""
            count = counts.setdefault(place, self._start(num_id, place))
            return "" if other.style == "none" else numeral(count, "decimal" if found.legal else other.style)

        return PLACE.sub(shown, found.text)

    def _start(self, num_id: int, level: int) -> int:
        found = self._level(num_id, level)
        return 1 if found is None else found.start

    def _level_of(self, num_id: int, style_ids: list[str]) -> int:
        """Return the level that a paragraph's style is linked to."""
        for style_id in style_ids:
            for level in range(LEVELS):
                found = self._level(num_id, level)
                if found is not None and found.paragraph_style == style_id:
                    return level
        return 0

    def _level(self, num_id: int, level: int) -> Level | None:
        key = (num_id, level)
        if key not in self._levels:
            self._levels[key] = self._read(num_id, level)
        return self._levels[key]

    def _read(self, num_id: int, level: int) -> Level | None:
        element = child(self._override(num_id, level), "w:lvl")
        if element is None:
            element = _at(self._abstract.get(self._abstract_id(num_id)), "w:lvl", level)
        if element is None:
            return None
        restart = value(element, "w:lvlRestart")
        return Level(
            style=value(element, "w:numFmt") or "decimal",
            text=value(element, "w:lvlText") or "",
            start=number(value(element, "w:start"), 0),
            legal=is_on(element, "w:isLgl"),
            restart=None if restart is None else number(restart),
            paragraph_style=value(element, "w:pStyle") or "",
        )

    def _override(self, num_id: int, level: int) -> Any:
        return _at(self._nums.get(num_id), "w:lvlOverride", level)

    def _abstract_id(self, num_id: int) -> int:
        """Return the id of a list's definition, through the style that may hold it (17.9.21)."""
        found = number(value(self._nums.get(num_id), "w:abstractNumId"), -1)
        linked = value(self._abstract.get(found), "w:numStyleLink")
        return self._by_style.get(linked, found) if linked else found


def _id(element: Any, attribute: str) -> int:
    return number(value(element, attribute=attribute), -1)


def _at(element: Any, name: str, level: int) -> Any:
    return next((e for e in children(element, name) if _id(e, "ilvl") == level), None)
