"""Texts that make the match of a pattern long, made from the tree of the pattern."""

from collections.abc import Iterator
from re import _constants as ops  # type: ignore[attr-defined]
from typing import Any

from tests.support.backtracking import Counter

CHARACTERS = [chr(code) for code in (*range(9, 14), *range(32, 127), 0xDF, 0x2019, 0x2022, 0x3002, 0x2026, 0xBB)]


def attacks(counter: Counter) -> Iterator[tuple[str, str, str]]:
    """Yield (before, repeated, after): for each repeat of the pattern, examples of what leads to it, of what it
    repeats, and an end that does not fit; and examples of the whole begin of the pattern, repeated."""
    for before, inner, others in repeats(counter, counter.tree, ""):
        begun = before + inner
        for end in ("", "\x01", "\n"):
            for pump in dict.fromkeys((inner, begun, *others, *(inner + other for other in others))):
                if pump:
                    yield before, pump, end
                    yield "", pump, end


def repeats(counter: Counter, items: list[Any], before: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each repeat without a small limit: an example of what is before it, of one turn, and of other turns."""
    for at, (op, value) in enumerate(items):
        if op is ops.BRANCH:
            for branch in value[1]:
                yield from repeats(counter, list(branch), before)
        elif op is ops.SUBPATTERN:
            yield from repeats(counter, list(value[3]), before)
        elif op is ops.ATOMIC_GROUP:
            yield from repeats(counter, list(value), before)
        elif op in (ops.ASSERT, ops.ASSERT_NOT):
            yield from repeats(counter, list(value[1]), before)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            inner = list(value[2])
            if value[1] > 100:
                following = [one for item in items[at + 1 :] for one in examples(counter, [item])[:3]]
                turns = examples(counter, inner)
                yield before, turns[0], [*turns[1:8], *following[:8]]
            yield from repeats(counter, inner, before)
        before += examples(counter, [(op, value)])[0]


def examples(counter: Counter, items: list[Any]) -> list[str]:
    """Texts that fit items: with the least turns of repeats, and for the first character several."""
    texts = [""]
    for op, value in items:
        texts = [text + one for text in texts[:12] for one in _examples_of(counter, op, value)[:12]]
    return texts or [""]


def _examples_of(counter: Counter, op: Any, value: Any) -> list[str]:
    if op is ops.BRANCH:
        return [one for branch in value[1] for one in examples(counter, list(branch))[:3]]
    if op is ops.SUBPATTERN:
        return examples(counter, list(value[3]))
    if op is ops.ATOMIC_GROUP:
        return examples(counter, list(value))
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        turns = examples(counter, list(value[2]))
        return [one * min(value[0], 100) for one in turns] if value[0] else ["", *turns[:3]]
    if op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT, ops.GROUPREF):
        return [""]
    fitting = [char for char in CHARACTERS if counter.fits(op, value, char)]
    distinct = {(char.isalnum(), char.isspace(), char.isprintable()): char for char in reversed(fitting)}
    return list(dict.fromkeys([*distinct.values(), *fitting]))[:6] or [chr(value) if op is ops.LITERAL else "x"]
