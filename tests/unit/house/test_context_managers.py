"""Context managers of tests clean up also when their block fails.

What a failed test leaves open is reported by a later one, whenever the garbage is collected.
"""

import ast
from collections.abc import Iterator

from tests.support.repository import ROOT

FILES = sorted((ROOT / "tests").rglob("*.py"))
JUDGING = (ast.Assert, ast.Return, ast.Assign, ast.AugAssign)
"""What may follow a block that succeeded, and only then."""


def skipped_cleanups(source: str) -> Iterator[int]:
    """The lines of what a context manager would do after its block and, outside of `finally`, does not if it fails."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_makes_a_manager, node.decorator_list)):
            yield from _after_the_yield(node.body)


def _makes_a_manager(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).rpartition(".")[2] in ("contextmanager", "asynccontextmanager")


def _after_the_yield(body: list[ast.stmt]) -> Iterator[int]:
    for place, statement in enumerate(body):
        if any(isinstance(node, ast.Yield) for node in ast.walk(statement)):
            yield from (after.lineno for after in body[place + 1 :] if not isinstance(after, JUDGING))
            yield from _after_the_yield(getattr(statement, "body", []))
            return


def test_every_context_manager_of_a_test_cleans_up_also_when_its_block_fails() -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in FILES}
    managing = {file: text for file, text in texts.items() if "contextmanager" in text}
    assert managing
    assert [
        f"{file.relative_to(ROOT)}:{line}" for file, text in managing.items() for line in skipped_cleanups(text)
    ] == []


def test_a_cleanup_outside_of_finally_is_found() -> None:
    skipped = "@contextmanager\ndef opened():\n    with a() as b:\n        yield b\n        b.close()\n    b.delete()\n"
    assert sorted(skipped_cleanups(skipped)) == [5, 6]
    done = "@asynccontextmanager\nasync def opened():\n    try:\n        yield\n    finally:\n        await close()\n"
    assert list(skipped_cleanups(done)) == []
