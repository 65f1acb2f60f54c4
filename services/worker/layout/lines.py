"""The lines of a region as running text or as code. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from schemas.blocks import Span
from services.worker.layout.regions import RegionLine, Run

MOST_EMPTY: Final = 2  # lines between two lines of code
GAP: Final = 0.12  # of the size of the font: runs with more between them are separate words
HYPHENS: Final = "-\u00ad\u2010"
BOUND: Final = frozenset({"und", "oder", "bzw", "sowie", "and", "or", "et", "ou", "en", "y", "o"})
"""Words before which a hyphen stands for the rest of a word (`pre- and postwar`), so that it stays."""
WORD: Final = re.compile(r"[^\W\d_]+")
IDEOGRAPHS: Final = "\u2e80"  # from here on scripts have no blanks between words


def text_of(lines: Iterable[RegionLine]) -> str:
    """Return the running text without styles."""
    return "".join(span.text for span in spans_of(lines))


def spans_of(lines: Iterable[RegionLine]) -> tuple[Span, ...]:
    """Return the lines as one paragraph: words that were divided at the end of a line are whole."""
    spans: list[Span] = []
    for line in lines:
        runs = _spaced(line.runs)
        if spans and runs:
            first, following = spans[-1], "".join(run.text for run in runs).lstrip()
            spans[-1] = replace(first, text=_end(first.text.rstrip(), following))
            runs[0] = replace(runs[0], text=runs[0].text.lstrip())
        spans += [Span(run.text, bold=run.bold, italic=run.italic, code=run.mono) for run in runs]
    return _trimmed(joined(spans))


def _spaced(runs: Sequence[Run]) -> list[Run]:
    """Return the runs with a blank where there is a gap between two."""
    spaced = list(runs[:1])
    for before, run in pairwise(runs):
        apart = run.left - before.right > GAP * max(run.size, 1.0)
        touching = before.text[-1:].isspace() or run.text[:1].isspace()
        spaced.append(replace(run, text=f" {run.text}") if apart and not touching else run)
    return spaced


def _end(text: str, following: str) -> str:
    """Return a line's end as it stands before the text of the next line."""
    if not text or not following:
        return text
    if text[-1] == "\u00ad":
        return text[:-1]
    word = WORD.match(following)
    divided = text[-1] in HYPHENS and text[-2:-1].isalpha() and following[0].islower()
    if divided and word is not None and word[0] not in BOUND:
        return text[:-1]
    return text if text[-1] >= IDEOGRAPHS and following[0] >= IDEOGRAPHS else f"{text} "


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans with those of one style as one, and without empty ones. Blanks have the style before them."""
    whole: list[Span] = []
    for span in spans:
        if whole and (not span.text.strip() or replace(whole[-1], text="") == replace(span, text="")):
            whole[-1] = replace(whole[-1], text=whole[-1].text + span.text)
        elif span.text:
            whole.append(span)
    return whole


def _trimmed(spans: list[Span]) -> tuple[Span, ...]:
    if spans:
        spans[0] = replace(spans[0], text=spans[0].text.lstrip())
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip())
    return tuple(span for span in spans if span.text)


def without_start(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """Return spans without their first characters."""
    left: list[Span] = []
    for span in spans:
        left.append(replace(span, text=span.text[count:]))
        count = max(0, count - len(span.text))
    return _trimmed([span for span in left if span.text])


def is_code(lines: Sequence[RegionLine]) -> bool:
    """Whether all lines are in a font whose characters have one width."""
    runs = [run for line in lines for run in line.runs if run.text.strip()]
    return bool(runs) and all(run.mono for run in runs)


def code_of(lines: Sequence[RegionLine]) -> str:
    """Return the lines as they stand, indented by where they begin, with an empty line for each that is left out."""
    edge = min(line.box[0] for line in lines)
    text = _indented(lines[0], edge)
    for above, line in pairwise(lines):
        height = above.box[3] - above.box[1]
        empty = round((line.box[1] - above.box[3]) / height) if height > 0 else 0
        text += "\n" * (1 + min(max(empty, 0), MOST_EMPTY)) + _indented(line, edge)
    return text


def _indented(line: RegionLine, edge: float) -> str:
    text = line.text.rstrip()
    run = next((run for run in line.runs if run.text.strip()), None)
    width = (run.right - run.left) / len(run.text) if run else 0.0
    return f"{' ' * round((line.box[0] - edge) / width)}{text}" if width > 0 else text
