"""Pieces of text in one style, put together. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from schemas.blocks import Block, BlockKind, Span

Spans = tuple[Span, ...]


def joined(spans: Iterable[Span]) -> Spans:
    """Return spans with neighbours of one style made one, and without white space at both ends."""
    merged: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if merged and _style(merged[-1]) == _style(span):
            merged[-1] = replace(span, text=merged[-1].text + span.text)
        else:
            merged.append(span)
    return _stripped(merged)


def _stripped(spans: list[Span]) -> Spans:
    while spans and not spans[0].text.strip():
        del spans[0]
    while spans and not spans[-1].text.strip():
        del spans[-1]
    if spans and spans[0].text[0].isspace():
        spans[0] = replace(spans[0], text=spans[0].text.lstrip())
    if spans and spans[-1].text[-1].isspace():
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip())
    return tuple(spans)


def _style(span: Span) -> tuple[bool, bool, bool, bool, str]:
    return span.bold, span.italic, span.code, span.strike, span.link


def lines(pieces: Sequence[Spans]) -> Spans:
    """Return pieces of text under one another, without empty ones."""
    return joined(_with_breaks(piece for piece in pieces if piece))


def _with_breaks(pieces: Iterable[Spans]) -> Iterator[Span]:
    for number, piece in enumerate(pieces):
        if number:
            yield Span("\n")
        yield from piece


def plain(spans: Iterable[Span]) -> Spans:
    """Return spans without bold and italic, as a heading has them; links and code stay."""
    return joined(replace(span, bold=False, italic=False) for span in spans)


def lines_of(block: Block) -> Iterator[Spans]:
    """Yield the lines of a block where it cannot stand as such: in a cell, a header, a note."""
    if block.rows:
        for row in block.rows:
            yield joined(span for cell in row for span in (*cell.spans, Span("\t")))
    elif block.kind is BlockKind.LIST_ITEM:
        yield joined((Span(f"{block.marker} "), *block.spans))
    else:
        yield block.spans
