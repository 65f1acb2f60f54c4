"""The tutorial in `tests/fundamentals` stays one: short pages, short tests, each with a name and a text to read."""

import ast
from pathlib import Path

import pytest

from tests.support.source import ROOT, parsed

PAGES = sorted((ROOT / "tests" / "fundamentals").glob("test_*.py"))
MOST_LINES = 25
MOST_LINES_OF_A_PAGE = 120


def test_pages_are_numbered_in_reading_order() -> None:
    assert [int(page.stem.split("_")[1]) for page in PAGES] == list(range(1, len(PAGES) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_so_are_its_tests(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_PAGE
    assert ast.get_docstring(parsed(page))
    for node in parsed(page).body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_"):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MOST_LINES, node.name
            assert ast.get_docstring(node), node.name
