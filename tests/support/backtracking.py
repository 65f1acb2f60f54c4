"""Counts the steps of a backtracking match, as Python's `re` makes them.

A pattern is run as the tree that `re` parses, so that no time has to be measured: the machine may be busy.
"""

import re
from collections.abc import Callable
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Next = Callable[[int], bool]
SETTLED = 60_000


class TooManyStepsError(Exception):
    """The count passed SETTLED, which no linear match of these texts does."""


class Counter:
    """The steps of one pattern on texts."""

    def __init__(self, pattern: "re.Pattern[str] | re.Pattern[bytes]") -> None:
        source = pattern.pattern
        flags = pattern.flags
        if isinstance(source, bytes):
            source, flags = source.decode("latin-1"), flags & ~re.LOCALE
        self._flags = flags
        self.tree = list(parser.parse(source, flags))
        self.steps = 0
        self._text = ""
        self._groups: dict[int, tuple[int, int]] = {}

    def match(self, text: str, whole: bool = False) -> int:
        """The steps of one match at the begin; `whole`: as fullmatch."""
        self._begin(text)
        self._run(self.tree, 0, (lambda at: at == len(text)) if whole else (lambda at: True))
        return self.steps

    def search_all(self, text: str) -> int:
        """The steps of all matches, as of sub and finditer."""
        self._begin(text)
        at = 0
        while at <= len(text):
            ends: list[int] = []
            found = self._run(self.tree, at, lambda end, ends=ends: not ends.append(end))  # type: ignore[func-returns-value,misc]
            at = max(ends[-1], at + 1) if found else at + 1
        return self.steps

    def _begin(self, text: str) -> None:
        self.steps, self._text, self._groups = 0, text, {}

    def _run(self, items: list[Any], at: int, then: Next) -> bool:
        """Match items from a place on, then what follows."""
        self.steps += 1
        if self.steps > SETTLED:
            raise TooManyStepsError
        if not items:
            return then(at)
        (op, value), rest = items[0], items[1:]

        def follow(end: int) -> bool:
            return self._run(rest, end, then)

        if op is ops.BRANCH:
            return any(self._run(list(branch), at, follow) for branch in value[1])
        if op is ops.SUBPATTERN:
            return self._group(value, at, follow)
        if op is ops.ATOMIC_GROUP:
            return self._possessive(list(value), 1, 1, at, follow)
        if op is ops.POSSESSIVE_REPEAT:
            return self._possessive(list(value[2]), value[0], value[1], at, follow)
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self._repeat(list(value[2]), value[0], value[1], at, follow, op is ops.MAX_REPEAT)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            return self._assertion(value, at) is (op is ops.ASSERT) and follow(at)
        if op is ops.AT:
            return self._anchor(value, at) and follow(at)
        if op is ops.GROUPREF:
            begin, end = self._groups[value]
            same = self._text.startswith(self._text[begin:end], at)
            return same and follow(at + end - begin)
        return at < len(self._text) and self.fits(op, value, self._text[at]) and follow(at + 1)

    def _group(self, value: Any, at: int, follow: Next) -> bool:
        number, _, _, inner = value

        def closed(end: int) -> bool:
            if number is not None:
                self._groups[number] = (at, end)
            return follow(end)

        return self._run(list(inner), at, closed)

    def _repeat(self, inner: list[Any], least: int, most: Any, at: int, follow: Next, greedy: bool) -> bool:
        """A repeat of a single character is a loop, as in `re`; others recurse."""
        if len(inner) == 1 and self._is_character(inner[0][0]):
            return self._run_of_characters(inner[0], least, most, at, follow, greedy)

        def more(count: int, place: int) -> bool:
            def again(end: int) -> bool:
                return (end > place or count < least) and more(count + 1, end)

            may_go_on = count < most
            if count < least:
                return self._run(inner, place, again)
            if greedy:
                return (may_go_on and self._run(inner, place, again)) or follow(place)
            return follow(place) or (may_go_on and self._run(inner, place, again))

        return more(0, at)

    def _run_of_characters(self, item: Any, least: int, most: Any, at: int, follow: Next, greedy: bool) -> bool:
        end, ends = at, []
        while True:
            if end - at >= least:
                if not greedy and follow(end):
                    return True
                ends.append(end)
            if end == len(self._text) or end - at == most or not self.fits(*item, self._text[end]):
                return greedy and any(follow(place) for place in reversed(ends))
            end += 1
            self.steps += 1

    def _possessive(self, inner: list[Any], least: int, most: Any, at: int, follow: Next) -> bool:
        count = 0
        while count < most:
            ends: list[int] = []
            if not self._run(inner, at, lambda end, ends=ends: not ends.append(end)):  # type: ignore[func-returns-value,misc]
                break
            if ends[-1] == at:
                break
            at, count = ends[-1], count + 1
        return count >= least and follow(at)

    def _assertion(self, value: Any, at: int) -> bool:
        direction, inner = value
        if direction > 0:
            return self._run(list(inner), at, lambda end: True)
        width = inner.getwidth()[1]
        return at >= width and self._run(list(inner), at - width, lambda end: end == at)

    def _anchor(self, where: Any, at: int) -> bool:
        lines = bool(self._flags & re.MULTILINE)
        if where is ops.AT_BEGINNING:
            return at == 0 or (lines and self._text[at - 1] == "\n")
        if where is ops.AT_END:
            return at in (len(self._text), len(self._text) - 1 if self._text.endswith("\n") else -1) or (
                lines and self._text[at] == "\n"
            )
        if where is ops.AT_BEGINNING_STRING:
            return at == 0
        if where is ops.AT_END_STRING:
            return at == len(self._text)
        return True  # a border of words: taken as there, which only makes more steps

    @staticmethod
    def _is_character(op: Any) -> bool:
        return op in (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY)

    def fits(self, op: Any, value: Any, char: str) -> bool:
        """Whether an item of one character fits a character."""
        if self._flags & re.IGNORECASE and op is not ops.IN:
            char = char.lower()
        if op is ops.LITERAL:
            return bool(char == chr(value).lower() if self._flags & re.IGNORECASE else char == chr(value))
        if op is ops.NOT_LITERAL:
            return bool(char != chr(value))
        if op is ops.ANY:
            return char != "\n" or bool(self._flags & re.DOTALL)
        negated, rest = (True, value[1:]) if value[0][0] is ops.NEGATE else (False, value)
        return negated is not any(_in(kind, one, char) for kind, one in rest)


def _in(kind: Any, value: Any, char: str) -> bool:
    if kind is ops.LITERAL:
        return ord(char) == value
    if kind is ops.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    categories = {
        ops.CATEGORY_DIGIT: char.isdigit(),
        ops.CATEGORY_SPACE: char.isspace(),
        ops.CATEGORY_WORD: char.isalnum() or char == "_",
        ops.CATEGORY_NOT_DIGIT: not char.isdigit(),
        ops.CATEGORY_NOT_SPACE: not char.isspace(),
        ops.CATEGORY_NOT_WORD: not (char.isalnum() or char == "_"),
    }
    return categories[value]
