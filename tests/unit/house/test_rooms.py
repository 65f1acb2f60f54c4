"""The rooms of the repository: small folders, names that need no prefix, and imports in one direction only."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.source import FILES, HOUSES, ROOT, SERVICES, circles, imports, module_of, parsed

MOST_MODULES = 20
FOLDERS = sorted({file.parent for house in (*HOUSES, "tests") for file in (ROOT / house).rglob("*.py")})
MODULES = frozenset(module_of(file) for file in FILES)

SHARED_PREFIXES: dict[str, str] = {}
"""Prefixes that modules of one folder may share, by `folder/prefix`, each with the reason why it is not a folder."""

EVERY_SERVICE = frozenset({"__init__", "__main__", "app", "metrics"})
BESIDE_APP = {
    "api": {"assembly", "web"},
    "notifier": {"assembly", "checkpoints", "outbox", "sweep"},
    "projector": {"rebuild"},
    "worker": {"errors"},
}
"""The modules of each service that are in no room, beyond those that every service has."""


def name_of(folder: Path) -> str:
    return folder.relative_to(ROOT).as_posix()


def modules_in(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


def rooms_in(folder: Path) -> list[str]:
    return sorted(room.name for room in folder.iterdir() if any(room.rglob("*.py")))


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_folder_holds_few_modules(folder: Path) -> None:
    assert len(modules_in(folder)) <= MOST_MODULES


@pytest.mark.parametrize("folder", FOLDERS, ids=name_of)
def test_a_prefix_that_names_share_is_a_folder(folder: Path) -> None:
    """`pdf_plan` beside `pdf_result`, or beside `pdf`, belongs into a folder `pdf`. `test_` is not counted."""
    sharing = defaultdict(set)
    for name in (*modules_in(folder), *rooms_in(folder)):
        words = name.removeprefix("test_").split("_")
        for count in range(1, len(words) + 1):
            sharing["_".join(words[:count])].add(name)
    found = {f"{name_of(folder)}/{prefix}": names for prefix, names in sharing.items() if len(names) > 1}
    assert {place: names for place, names in found.items() if place not in SHARED_PREFIXES} == {}


def test_no_exception_for_a_prefix_is_left_over() -> None:
    for place in SHARED_PREFIXES:
        folder, _, prefix = place.rpartition("/")
        names = {name.removeprefix("test_") for name in (*modules_in(ROOT / folder), *rooms_in(ROOT / folder))}
        assert len({name for name in names if name == prefix or name.startswith(f"{prefix}_")}) > 1, place


@pytest.mark.parametrize("service", SERVICES)
def test_the_rooms_of_a_service_import_each_other_in_one_direction(service: str) -> None:
    """Rooms are the folders of a service, and the modules beside its `app`, which is above all of them."""
    base = f"services.{service}"
    reasons: dict[str, dict[str, str]] = defaultdict(dict)
    for file in (one for one in FILES if module_of(one).startswith(f"{base}.")):
        room = module_of(file).split(".")[2]
        for target in sorted(targets(file)):
            other = target.removeprefix(f"{base}.").partition(".")[0]
            if target.startswith(f"{base}.") and other != room and "app" not in (room, other):
                reasons[room].setdefault(other, f"{module_of(file)} imports {target}")
    found = [[reasons[room][other] for room, other in pairwise(circle)] for circle in circles(reasons)]
    assert found == [], "\n\n".join("\n".join(circle) for circle in found)


def test_no_files_import_each_other_in_a_circle() -> None:
    found = circles({module_of(file): targets(file) for file in FILES})
    assert found == [], "\n".join(" -> ".join(circle) for circle in found)


def test_a_circle_is_found_by_its_shortest_way_and_once() -> None:
    graph = {"a": {"b", "c"}, "b": {"c", "d"}, "c": {"a"}, "d": set[str]()}
    assert circles(graph) == [["a", "c", "a"], ["b", "c", "a", "b"]]
    assert circles({**graph, "c": set[str]()}) == []


def targets(file: Path) -> set[str]:
    """The modules of the product that a file imports itself, without the packages on the way to them."""
    return set(_targets(file))


def _targets(file: Path) -> Iterator[str]:
    for name in imports(file):
        module = name if name in MODULES else name.rpartition(".")[0]
        if module in MODULES:
            yield module


@pytest.mark.parametrize("service", SERVICES)
def test_all_services_are_built_alike(service: str) -> None:
    folder = ROOT / "services" / service
    names = {file.stem for file in folder.glob("*.py")}
    assert names >= EVERY_SERVICE
    assert names - EVERY_SERVICE == BESIDE_APP[service]
    body = parsed(folder / "app.py").body
    assert "main" in {node.name for node in body if isinstance(node, ast.AsyncFunctionDef)}


@pytest.mark.parametrize("folder", [one for one in FOLDERS if one.is_relative_to(ROOT / "services")], ids=name_of)
def test_a_room_has_a_docstring(folder: Path) -> None:
    assert ast.get_docstring(parsed(folder / "__init__.py"))
