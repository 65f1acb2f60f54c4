"""The product's own source: its files, what each imports, and the circles in a graph of imports."""

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSES = ("schemas", "piperoll", "services")
FILES = sorted(file for house in HOUSES for file in (ROOT / house).rglob("*.py"))
SERVICES = sorted(folder.name for folder in (ROOT / "services").iterdir() if (folder / "app.py").exists())


def module_of(file: Path) -> str:
    """The dotted name of a file; a package has that of its folder."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> frozenset[str]:
    """The absolute names of everything that a file imports, also within functions and for type checking."""
    return frozenset(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively: names are folder paths here"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def circles(graph: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Circles of a directed graph, each from a node back to itself; none exactly when the graph has no circle.

    A node that is on a circle found earlier is not the start of another one.
    """
    found: list[list[str]] = []
    covered: set[str] = set()
    for start in sorted(graph):
        if start not in covered and (circle := _shortest_circle(graph, start)):
            found.append(circle)
            covered.update(circle)
    return found


def _shortest_circle(graph: Mapping[str, Collection[str]], start: str) -> list[str] | None:
    came_from: dict[str, str] = {}
    waiting = [start]
    for node in waiting:
        for target in sorted(graph.get(node, ())):
            if target == start:
                return _path_to(node, start, came_from)
            if target not in came_from:
                came_from[target] = node
                waiting.append(target)
    return None


def _path_to(node: str, start: str, came_from: Mapping[str, str]) -> list[str]:
    path = [start]
    while node != start:
        path.insert(0, node)
        node = came_from[node]
    return [start, *path]
