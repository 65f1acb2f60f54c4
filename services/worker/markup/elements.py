"""What elements of HTML mean for the text of a page. Pure."""

from typing import Final

INLINE: Final = frozenset(
    {
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("img", "input", "ins", "kbd", "label", "mark", "nobr", "output", "q", "rb", "rp", "rt", "rtc", "ruby", "s"),
        *("samp", "slot", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"),
    }
)
"""Elements within a line (HTML, 4.5); every other one begins and ends a line."""
HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
LISTS: Final = frozenset({"ul", "ol", "menu", "dir"})
PREFORMATTED: Final = frozenset({"pre", "listing", "xmp", "plaintext"})
CELLS: Final = frozenset({"td", "th"})
ROW_GROUPS: Final = frozenset({"thead", "tbody", "tfoot"})
BOLD: Final = frozenset({"b", "strong"})
ITALIC: Final = frozenset({"i", "em"})
CODE: Final = frozenset({"code", "kbd", "samp", "tt"})
STRIKE: Final = frozenset({"s", "strike", "del"})
STYLES: Final = BOLD | ITALIC | CODE | STRIKE


def is_inline(tag: str) -> bool:
    """Whether an element is within a line. Names with a colon are those of Word, such as `o:p`."""
    return tag in INLINE or ":" in tag
