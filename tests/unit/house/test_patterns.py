"""No regular expression of the product takes a time that grows faster than the text that it is matched with."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.support.attacks import attacks
from tests.support.backtracking import Counter, TooManyStepsError
from tests.support.source import FILES, module_of, parsed

SEARCHING = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
ANCHORED = frozenset({"match", "fullmatch"})
TURNS = 60
MOST_GROWTH = 2.9
"""From TURNS to twice as many: 2 of a linear match, 4 of a quadratic one."""

OWN_TEXTS = {
    "piperoll.postgres": "the statements of the product",
    "services.projector.database.schema": "the statements of the product",
    "schemas.generate": "the schemas of the product",
}
"""Modules whose patterns read no foreign text."""
MADE = {
    "services.worker.processors.session.markdown": "three fixed marks, each in braces",
    "services.api.owner_stream.changes": "PLACE, which `pattern_of_names` finds by its text",
    "piperoll.keys": "OWNER_PATTERN, a bounded class of characters",
    "schemas.job_types.values": "the patterns of parameters, which are bounded by their fields",
}
"""Modules that make a pattern from parts, and why it is safe."""


GUARDED = {
    "piperoll.templates.engine._MARKER": "texts in which a marker is opened and not closed are not searched "
    "(tests/unit/worker/templates/test_growth.py)",
}
"""Patterns that their callers match with some texts alone."""


def uses() -> dict[str, set[str]]:
    """By the name of a pattern, the methods of it that the product calls."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.Attribute) and node.attr in SEARCHING | ANCHORED:
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                found[name].add(node.attr)
    return found


def named() -> Iterator[tuple[str, str, "re.Pattern[str]", bool]]:
    """Each compiled pattern of a module: where, its name, and whether it is searched for."""
    used = uses()
    for file in FILES:
        module = module_of(file)
        if "re.compile" not in file.read_text(encoding="utf-8") or module in OWN_TEXTS:
            continue
        for name, value in vars(import_module(module)).items():
            if isinstance(value, re.Pattern):
                aliases = used[name] or SEARCHING
                yield module, name, value, bool(aliases & SEARCHING)


def inline() -> Iterator[tuple[str, str, "re.Pattern[str]", bool]]:
    """Each pattern that is an argument of a function of `re`."""
    for file in FILES:
        for node in ast.walk(parsed(file)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            called, first = node.func, node.args[0]
            of_re = isinstance(called.value, ast.Name) and called.value.id == "re"
            if not of_re or called.attr not in SEARCHING | ANCHORED or module_of(file) in OWN_TEXTS:
                continue
            if isinstance(first, ast.Constant):
                yield module_of(file), f"line {node.lineno}", re.compile(first.value), called.attr in SEARCHING
            else:
                assert module_of(file) in MADE, f"{module_of(file)} line {node.lineno} makes a pattern"


PATTERNS = {f"{module}.{name}": (pattern, searched) for module, name, pattern, searched in (*named(), *inline())}


@pytest.fixture(autouse=True)
def deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def growth(pattern: "re.Pattern[str]", searched: bool) -> tuple[float, str]:
    """The largest growth of the steps when an attack is twice as long, and the attack."""
    counter, worst, tried = Counter(pattern), (0.0, ""), set()
    for before, pump, end in attacks(counter):
        if (before, pump, end) in tried:
            continue
        tried.add((before, pump, end))
        count = counter.search_all if searched else counter.match
        try:
            short, long = (count(before + pump * turns + end) for turns in (TURNS, 2 * TURNS))
        except (TooManyStepsError, RecursionError):
            return float("inf"), repr((before, pump, end))
        worst = max(worst, (long / short, repr((before, pump, end))))
    return worst


@pytest.mark.parametrize("place", sorted(PATTERNS.keys() - GUARDED.keys()))
def test_a_match_takes_steps_in_proportion_to_the_text(place: str) -> None:
    pattern, searched = PATTERNS[place]
    found, attack = growth(pattern, searched)
    assert found < MOST_GROWTH, f"{pattern.pattern!r} with {attack}"


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        (r"(?:a+)+b", False),
        (r"\s*(?:<!--.*?-->\s*)*<html", False),
        (r"^#{1,6}[ \t]+(.+?)[ \t#]*$", True),
        (r"!\[[^\]]*\]\([^)]*\)", True),
        (r"\{\{([a-z]+)\|[^}]+\}\}", True),
        (r"\s+x", True),
        (r"(?:a|a)*b", False),
        (r"[;,](?![^()]*\))", True),
    ],
)
def test_a_pattern_whose_steps_grow_faster_is_found(pattern: str, searched: bool) -> None:
    assert growth(re.compile(pattern), searched)[0] >= MOST_GROWTH


@pytest.mark.parametrize(
    "pattern", [r"\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<html", r"[a-z]{1,63}(\.[a-z]{1,63})*", r"\d+"]
)
def test_a_pattern_whose_steps_grow_with_the_text_alone_is_not_complained_about(pattern: str) -> None:
    assert growth(re.compile(pattern), False)[0] < MOST_GROWTH


def test_no_exception_is_left_over() -> None:
    modules = {module_of(file) for file in FILES}
    assert modules >= {*OWN_TEXTS, *MADE}
    assert PATTERNS.keys() >= GUARDED.keys()
