"""The text of a block while it is read: styles, and blanks as a page shows them. Pure."""

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from schemas.blocks import Span
from services.worker.blocks.inline import joined
from services.worker.markup.elements import BOLD, CODE, ITALIC, STRIKE

BLANKS: Final = re.compile(r"[ \t\n\f\r]+")  # HTML, 4.6.1 of Infra: a no-break space is none
EDGES: Final = " \t\n\f\r"


class Line:
    """Collects the spans of one block."""

    def __init__(self) -> None:
        self.links: list[str] = []
        self._open: Counter[str] = Counter()
        self._spans: list[Span] = []
        self._blank = True  # whether a blank here would be at the start, or after another one
        self._pictures_only = True

    def begin(self, style: str) -> None:
        """Begin a style by the tag of its element."""
        self._open[style] += 1

    def end(self, style: str) -> None:
        """End a style."""
        self._open[style] -= 1

    def add(self, text: str, picture: bool = False) -> None:
        """Add text. Runs of blanks become one."""
        text = BLANKS.sub(" ", text)
        if self._blank:
            text = text.lstrip(" ")
        if not text:
            return
        self._spans.append(self._styled(text))
        self._blank = text.endswith(" ")
        self._pictures_only &= picture or text == " "

    def end_line(self) -> None:
        """Add a line end."""
        if self._spans:
            self._spans[-1] = replace(self._spans[-1], text=self._spans[-1].text.rstrip(" "))
            self._spans.append(Span("\n"))
        self._blank = True

    def take(self) -> tuple[tuple[Span, ...], bool]:
        """Return the spans without blanks around them, and whether they are words for pictures alone; begin again."""
        if not self._spans:
            return (), False
        spans, pictures = self._spans, self._pictures_only
        self._spans, self._blank, self._pictures_only = [], True, True
        text = ""
        while spans and not (text := spans[0].text.lstrip(EDGES)):
            del spans[0]
        if spans and text != spans[0].text:
            spans[0] = replace(spans[0], text=text)
        while spans and not (text := spans[-1].text.rstrip(EDGES)):
            spans.pop()
        if spans and text != spans[-1].text:
            spans[-1] = replace(spans[-1], text=text)
        return tuple(joined(spans)), pictures

    def _styled(self, text: str) -> Span:
        on = {style for style, count in self._open.items() if count > 0} if self._open else frozenset()
        link = self.links[-1] if self.links else ""
        return Span(text, bool(on & BOLD), bool(on & ITALIC), bool(on & CODE), bool(on & STRIKE), link)
