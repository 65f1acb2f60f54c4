"""Parse a text into lines: headings, list items, labels with their values, prose. Pure. Used by the local rules."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HEADING = re.compile(r"#{1,6}\s+(\S.*)|(?:\*\*|__)([^*_]+?):?(?:\*\*|__):?")
_ITEM = re.compile(r"(?:[-*+•\u2013]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s*)?(.*)|\[[ xX]\]\s*(.*)")
_LABEL = re.compile(r"(?:\*\*|__)?([^\W\d_][\w /&()'\u2019.-]{0,40}?)(?:\*\*|__)?\s*:(?:\*\*|__)?(?:\s+(.*))?")
_RULE = re.compile(r"[-=_*]{3,}(?: .{0,60} [-=_*]{3,})?|\|.*\|")
_SENTENCE_END = re.compile(r"[.!?…][\"”»'\u2019)\]]*(?=\s+[\"“„«'\u2018(\[]*[^\W_a-zäöüß])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:\d{1,2}|[^\W\d_]|bzw|ca|dr|e\.g|etc|evtl|fr|ggf|hr|i\.e|inkl|mr|mrs|ms|no|nr|prof|sog|st|usw|vgl|vs)"
    r"\.$",
    re.IGNORECASE,
)


LAST_WORD = 12  # characters: the longest abbreviation with punctuation


@dataclass(frozen=True, slots=True)
class OutlineLine:
    """One line. `label` is a heading or the text before a colon, `text` the rest without Markdown marks."""

    kind: str  # heading, item, label, prose, blank, rule
    text: str
    label: str = ""
    open_task: bool = False


def outline(text: str) -> list[OutlineLine]:
    """Return the lines of a text. The label of a heading is its text; an item may have a label too."""
    return [_line(line.strip()) for line in text.splitlines()]


def _line(line: str) -> OutlineLine:
    if not line:
        return OutlineLine("blank", "")
    if _RULE.fullmatch(line):
        return OutlineLine("rule", "")
    if heading := _HEADING.fullmatch(line):
        return OutlineLine("heading", "", _heading(*heading.groups()).strip().removesuffix(":"))
    if item := _ITEM.fullmatch(line):
        text = plain(item[1] or item[2] or "")
        label = _LABEL.fullmatch(text)
        return OutlineLine("item", text, label[1].strip() if label else "", "[ ]" in line[:8])
    if label := _LABEL.fullmatch(line):
        return OutlineLine("label", plain(label[2] or ""), label[1].strip())
    return OutlineLine("prose", plain(line))


def _heading(marked: str | None, emphasised: str) -> str:
    """Return a heading without the # that close it; one of # alone is its first."""
    return emphasised if marked is None else marked.rstrip(" #") or marked[0]


def plain(text: str) -> str:
    """Return the text without marks of emphasis."""
    return re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text).strip()


def after_label(item: OutlineLine) -> str:
    """Return the text after the label of an item."""
    return item.text.partition(":")[2].strip()


def section(lines: list[OutlineLine], start: int, is_known: Callable[[str], bool]) -> list[OutlineLine]:
    """Return the lines that belong to the heading or the empty label at `start`.

    A heading's section ends at the next heading, a label's at the first blank line after it; both at a known label.
    """
    heading = lines[start].kind == "heading"
    found: list[OutlineLine] = []
    gap = False
    for line in lines[start + 1 :]:
        if line.kind == "heading" or (line.kind == "label" and is_known(line.label)):
            break
        if line.kind in ("blank", "rule"):
            gap = bool(found)
            continue
        if gap and not heading and not (line.kind == "item" and found[-1].kind == "item"):
            break
        found.append(line)
    return found


def content(line: OutlineLine) -> str:
    """Return the text of a line, including a label that no concept has."""
    return f"{line.label}: {line.text}".strip() if line.kind == "label" else line.text


def paragraphs(lines: list[OutlineLine]) -> Iterator[str]:
    """Yield the paragraphs of prose."""
    words: list[str] = []
    for line in [*lines, OutlineLine("blank", "")]:
        if line.kind == "prose":
            words.append(line.text)
        elif words:
            yield " ".join(words)
            words = []


def sentences(paragraph: str) -> list[str]:
    """Split a paragraph into sentences; abbreviations, initials and days (`3. Mai`) do not end a sentence."""
    found: list[str] = []
    begin = 0
    for end in _SENTENCE_END.finditer(paragraph):
        tail = paragraph[max(begin, end.end() - LAST_WORD) : end.end()]
        if not _ABBREVIATION.search(tail):
            found.append(paragraph[begin : end.end()].strip())
            begin = end.end()
    return [*found, rest] if (rest := paragraph[begin:].strip()) else found
