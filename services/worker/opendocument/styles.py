"""What the styles of an OpenDocument file mean for its text: bold, italic, struck through, titles, numbered lists."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from services.worker.opendocument.names import attribute, below, number

MAX_PARENTS: Final = 20
BOLD: Final = frozenset({"bold", "600", "700", "800", "900"})


class Look(NamedTuple):
    """How a piece of text looks; None is as the text around it."""

    bold: bool | None = None
    italic: bool | None = None
    strike: bool | None = None


class ListLevel(NamedTuple):
    """A level of a list: its style of numerals (`1`, `a`, `I`), empty for bullets, what is around, and its start."""

    numerals: str
    before: str
    after: str
    start: int


class StyleSheet:
    """The styles of the parts of a file, by name."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self._looks: dict[str, Look] = {}
        self._parents: dict[str, str] = {}
        self._lists: dict[str, dict[int, ListLevel]] = {}
        for root in roots:
            for style in below(root, "style:style"):
                name = attribute(style, "style:name")
                self._parents[name] = attribute(style, "style:parent-style-name")
                for properties in below(style, "style:text-properties"):
                    self._looks[name] = _look(properties)
            for style in below(root, "text:list-style"):
                self._lists[attribute(style, "style:name")] = dict(_levels(style))

    def look(self, name: str) -> Look:
        """Return how text in a style looks by its own attributes; what paragraphs inherit does not count."""
        return self._looks.get(name, Look())

    def is_title(self, name: str) -> bool:
        """Whether a paragraph is the title of the document."""
        for _ in range(MAX_PARENTS):
            if name == "Title":
                return True
            name = self._parents.get(name, "")
        return False

    def list_level(self, name: str, level: int) -> ListLevel | None:
        """Return a level of a list, from 1; None for one with bullets and for an unknown one."""
        return self._lists.get(name, {}).get(level)


def _look(properties: Any) -> Look:
    weight = attribute(properties, "fo:font-weight")
    slant = attribute(properties, "fo:font-style")
    line = attribute(properties, "style:text-line-through-style") or attribute(
        properties, "style:text-line-through-type"
    )
    return Look(
        weight in BOLD if weight else None,
        slant in ("italic", "oblique") if slant else None,
        line != "none" if line else None,
    )


def _levels(style: Any) -> Iterable[tuple[int, ListLevel]]:
    for level in below(style, "text:list-level-style-number"):
        numerals = attribute(level, "style:num-format")
        if numerals:
            before, after = attribute(level, "style:num-prefix"), attribute(level, "style:num-suffix")
            yield number(level, "text:level"), ListLevel(numerals, before, after, number(level, "text:start-value"))
