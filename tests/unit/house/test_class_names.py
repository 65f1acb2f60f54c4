"""A class name means one thing in the whole product."""

import ast
from collections import defaultdict

from tests.support.source import FILES, module_of, parsed

USED_TWICE: dict[str, str] = {}
"""Public class names that several modules may define, each with the reason."""


def defined_twice() -> dict[str, list[str]]:
    places = defaultdict(list)
    for file in FILES:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module_of(file))
    return {name: found for name, found in places.items() if len(found) > 1}


def test_no_public_class_name_is_defined_twice() -> None:
    found = {name: places for name, places in defined_twice().items() if name not in USED_TWICE}
    assert found == {}, "\n".join(f"{name}: {', '.join(places)}" for name, places in sorted(found.items()))


def test_no_exception_for_a_class_name_is_left_over() -> None:
    assert USED_TWICE.keys() <= defined_twice().keys()
