"""The words of a page by its source alone, without a tree: for the net under the reader, and where no tree can be made.

One pass in linear time. It keeps more than the reader, whose parser follows HTML5: what stands behind an element that
nothing ends, such as `title`, is text here.
"""

import html as entities
import re
from collections.abc import Iterator
from typing import Final

from services.worker.markup.elements import is_inline

NAME: Final = re.compile(r"/?([a-zA-Z][^\s/>]*)")
TAG_END: Final = re.compile(r"(?:[^>\"'=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')|[=\"'])*+>")
COMMENT_END: Final = re.compile(r"-?>|.*?(?:--!?>|\Z)", re.DOTALL)
HIDDEN: Final = frozenset(
    {"script", "style", "noscript", "template", "iframe", "object", "select", "textarea", "svg", "annotation"}
)
"""Elements that the reader leaves out, or reads on another way."""
PROGRAMS: Final = frozenset({"script", "style"})
"""Those of them that hold no text even where nothing ends them."""


def pieces(html: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a page, each with the name of the tag before it, in lower case; empty before the first one."""
    place, tag = 0, ""
    endless: set[str] = set()
    while (found := html.find("<", place)) >= 0:
        after, name = _after_mark(html, found)
        yield tag, entities.unescape(html[place : found if after > found + 1 else after])
        place = after
        if name:
            tag = name.lstrip("/")
            if name in HIDDEN:
                place = _after_hidden(html, name, after, endless)
    yield tag, entities.unescape(html[place:])


def plain_text(html: str) -> str:
    """Return the text of a page, a line for each block."""
    text = "".join(text if is_inline(tag) or not tag else f"\n{text}" for tag, text in pieces(html))
    return "\n".join(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)


def _after_mark(html: str, start: int) -> tuple[int, str]:
    """Return the place behind the mark at `start`, and its name with `/` for an end; one further if it is text."""
    following = html[start + 1 : start + 2]
    if html.startswith("<!--", start):
        end = COMMENT_END.match(html, start + 4)
        return (end.end() if end else len(html)), ""
    if following in ("!", "?"):
        return _behind(html, ">", start), ""
    name = NAME.match(html, start + 1)
    if not name:
        return (_behind(html, ">", start), "") if following == "/" else (start + 1, "")
    end = TAG_END.match(html, name.end())
    return (end.end() if end else len(html)), name[0].lower()


def _behind(html: str, mark: str, start: int) -> int:
    end = html.find(mark, start)
    return len(html) if end < 0 else end + len(mark)


def _after_hidden(html: str, name: str, start: int, endless: set[str]) -> int:
    """Return the place behind the end of a hidden element; behind its start if nothing ends it.

    `endless` collects the names that nothing ends from there on: each is searched to the end of the page once.
    """
    end = _end_of(html, name, start) if name not in endless else None
    if end:
        return end.start()
    endless.add(name)
    return len(html) if name in PROGRAMS else start


def _end_of(html: str, name: str, start: int) -> re.Match[str] | None:
    return re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(html, start)
