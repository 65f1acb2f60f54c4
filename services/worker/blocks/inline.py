"""Spans as Markdown: emphasis, code, links, and escapes of what Markdown would take for marks. Pure.

The rules are those of CommonMark 0.31, 2.4 and 6, and of GitHub's tables and strikethrough.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Final

from schemas.blocks import Span

SPECIAL: Final = re.compile(
    r"[\\`*\[\]|]"  # always marks
    r"|~|(?<![^\W_])_|_(?![^\W_])"  # strikethrough, and underscores that are not within a word
    r"|<(?=[a-zA-Z/!?])|&(?=#|[a-zA-Z])"  # tags and references to characters
)
LINE_START: Final = re.compile(
    r"(?P<mark>[-+](?=[\s\-+|:]|$)|=(?==*\s*$)|#(?=#{0,5}(\s|$))|>|:(?=-))|(?P<number>\d{1,9})(?P<dot>[.)])(?=\s|$)"
)
"""What begins a list, a heading, its underline, a quote or the second line of a table."""
TICKS: Final = re.compile(r"`+")
BLANKS: Final = re.compile(r"[ \t\n\r\v\f\x1c-\x1f\x85\u2028\u2029]+")  # a no-break space stays one
LINE_END: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
ADDRESS: Final = re.compile(r"[\s<>()\\|`*_\[\]\"']|[\x00-\x1f]")
SCHEME: Final = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.\-]*):")
SAFE_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "ftp", "ftps", "sip", "geo"})
MAX_ADDRESS: Final = 2_000
"""Characters of a link; a longer one is content that was put into an address."""


def safe_link(address: str) -> str:
    """Return an address that may be linked, without blanks around it; empty for one that runs code or holds content."""
    scheme = SCHEME.match(address)
    if len(address) > MAX_ADDRESS or (scheme and scheme[1].lower() not in SAFE_SCHEMES):
        return ""
    return address.strip()


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans with neighbours of one style as one, without empty ones."""
    spans = [span for span in spans if span.text]
    if len(spans) < 2:
        return spans
    whole = []
    for _, group in groupby(spans, key=_style):
        first, *others = group
        whole.append(replace(first, text="".join(span.text for span in (first, *others))) if others else first)
    return whole


def _style(span: Span) -> tuple[bool, bool, bool, bool, str]:
    return span.bold, span.italic, span.code, span.strike, span.link


def inline(spans: Sequence[Span], *, escaped: bool = True, in_table: bool = False) -> str:
    """Return spans as one line of Markdown. Line ends become blanks; `escaped` keeps each character from being a mark.

    Within a table pipes are always escaped.
    """
    if len(spans) == 1 and spans[0] == Span(spans[0].text):  # as nearly every cell of a table: quick
        return _escaped(" ".join(BLANKS.split(spans[0].text)).strip(), escaped, in_table)
    pieces = joined(replace(span, text=BLANKS.sub(" ", span.text)) for span in spans)
    written = ""
    for span, after in pairwise([*pieces, Span(" ")]):
        if span.link and written.endswith("!"):
            written = f"{written[:-1]}\\!"  # else it would be an image
        written += _span(span, written[-1:] or " ", after.text[:1], escaped, in_table)
    return written.strip()


def line_start(line: str) -> str:
    """Escape what begins a block at the start of a line that is text."""
    found = LINE_START.match(line)
    if not found:
        return line
    return f"\\{line}" if found["mark"] else f"{found['number']}\\{line[found.start('dot') :]}"


def heading_end(line: str) -> str:
    """Escape number signs after a blank at the end of a heading, which Markdown would leave out."""
    kept = line.rstrip("#")
    return line if kept and not kept.endswith(" ") else kept + "\\#" * (len(line) - len(kept))


def lines_of(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """Yield the spans of each line."""
    line: list[Span] = []
    for span in spans:
        first, *others = LINE_END.split(span.text)
        line.append(replace(span, text=first))
        for other in others:
            yield line
            line = [replace(span, text=other)]
    yield line


def _span(span: Span, before: str, after: str, escaped: bool, in_table: bool) -> str:
    text = span.text.strip()
    if not text:
        return " " if not before.isspace() else ""
    lead = " " if span.text[0].isspace() and not before.isspace() else ""
    tail = " " if span.text[-1].isspace() else ""
    before, after = (lead or before), (tail or after or " ")
    code = span.code and before != "`" and not (in_table and "|" in text and "\\" in text)  # code has no escapes
    body = _code(text, in_table) if code else _escaped(text, escaped, in_table)
    edges = (before, body[0], body[-1], after)
    link = safe_link(span.link)
    if link:
        edges = (" ", body[0], body[-1], " ")
    body = _emphasised(body, span, edges)
    if link:
        body = f"[{body}]({ADDRESS.sub(lambda found: _percent(found[0]), link)})"
    return f"{lead}{body}{tail}"


def _emphasised(body: str, span: Span, edges: tuple[str, str, str, str]) -> str:
    before, first, last, after = edges
    if not (_opens(before, first) and _opens(after, last)):
        return body  # marks there would be text: the style is left out
    if stars := "*" * (2 * span.bold + span.italic):
        body = f"{stars}{body}{stars}"
    if span.strike and _opens(before, body[0]) and _opens(after, body[-1]):
        body = f"~~{body}~~"
    return body


def _opens(outside: str, inside: str) -> bool:
    """Whether marks between both characters open or close emphasis (CommonMark, 6.2), and touch no other marks."""
    if outside in "*_~":
        return False
    return not _punctuation(inside) or outside.isspace() or _punctuation(outside)


def _punctuation(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"


def _escaped(text: str, escaped: bool, in_table: bool) -> str:
    if escaped:
        return SPECIAL.sub(lambda found: f"\\{found[0]}", text)
    return text.replace("|", "\\|") if in_table else text


def _code(text: str, in_table: bool) -> str:
    longest = max((len(run) for run in TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if longest and (text[0] == "`" or text[-1] == "`") else ""
    return f"{ticks}{pad}{text.replace('|', chr(92) + '|') if in_table else text}{pad}{ticks}"


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
