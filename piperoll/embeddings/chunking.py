"""Split a text into chunks for embedding, at the ends of paragraphs and sentences where possible. Pure."""

import re
from collections.abc import Iterator

OVERLAP = 10  # a chunk repeats at most a tenth of the size from the end of the previous one
CLOSERS = "\"'\u00bb\u201d\u2019)\\]"  # quotation marks and brackets that belong to the sentence before them
SENTENCE_END = re.compile(rf"(?:[.!?\u2026][{CLOSERS}]*(?=\s)|[\u3002\uff01\uff1f])")  # Latin script, or Chinese
LINE_END = re.compile(r"\n")
SPACE = re.compile(r"\s")
PARAGRAPH_END = re.compile(r"\n\s*\n")
CUTS = (PARAGRAPH_END, SENTENCE_END, LINE_END, SPACE)
"""Where a text may be split, the best place first."""


def chunks(text: str, size: int) -> list[str]:
    """Return the text in chunks of at most `size` characters, all but the last at least about half as long.

    Only white space around chunks is dropped. A chunk begins with the last words of the previous one, so that phrases
    across a boundary are found too. Raises ValueError for a size below 1.
    """
    return [text[start:end] for start, end in spans(text, size)]


def spans(text: str, size: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each chunk, in characters."""
    if size < 1:
        raise ValueError("the chunk size must be at least 1")
    end_of_text = len(text.rstrip())
    start = _after_space(text, 0, end_of_text)
    while start < end_of_text:
        if end_of_text - start <= size:
            yield start, end_of_text
            return
        cut = _cut(text, start, size)
        end = start + len(text[start:cut].rstrip())
        yield start, end
        start = _after_space(text, max(_overlapping(text, end, size), start + 1), end_of_text)


def _cut(text: str, start: int, size: int) -> int:
    """Return the last place of the best kind in the second half of the next `size` characters."""
    middle, limit = start + size // 2, start + size
    for kind in CUTS:
        ends = [found.end() for found in kind.finditer(text, start, limit + 1) if middle < found.end() <= limit]
        if ends:
            return ends[-1]
    return limit  # one long word


def _overlapping(text: str, end: int, size: int) -> int:
    """Return the start of the next chunk: shortly before `end`, at the start of a word."""
    earliest = end - size // OVERLAP
    space = SPACE.search(text, earliest, end)
    return space.end() if space else end


def _after_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at
