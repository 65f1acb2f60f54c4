"""Compares an answer with a document of the seed, key by key. Knows no service and no HTTP: what it compares is JSON.

The document stands in a test as the seed prints it: `{...}` is any object, `[...]` any list, a text any text. Values
count only under the keys of `SAME`, which are words of the contract; a time has to be written as the seed writes it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

SAME = frozenset({"status", "job_type", "step", "percent", "phase", "level"})
"""Keys whose values are the contract's own words."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
Added = Mapping[str, Collection[str]]


def require_like(answer: Any, seed: Any, added: Added | None = None, same: Collection[str] = SAME) -> None:
    """Fails with every difference at once. `added` are keys that the contract adds to the seed's, by path.

    Paths are as in `$.data.jobs[].status`; an object that is not named there has the seed's keys and no other.
    """
    differences = list(_differences(answer, seed, "$", added or {}, same))
    assert not differences, "\n".join(differences)


def _differences(answer: Any, seed: Any, path: str, added: Added, same: Collection[str]) -> Iterator[str]:
    if seed == {...} or seed == [...]:
        kind: type = dict if isinstance(seed, set) else list
        if not isinstance(answer, kind):
            yield f"{path} is not of type {kind.__name__}: {answer!r}"
    elif type(answer) is not type(seed):
        yield f"{path} is {answer!r}, the seed has {seed!r}"
    elif isinstance(seed, dict):
        yield from _of_objects(answer, seed, path, added, same)
    elif isinstance(seed, list):
        yield from _of_lists(answer, seed, path, added, same)
    elif isinstance(seed, str) and TIME.fullmatch(seed) and not TIME.fullmatch(answer):
        yield f"{path} is {answer!r}, which is not written as {seed}"
    elif path.rpartition(".")[2] in same and answer != seed:
        yield f"{path} is {answer!r}, the seed has {seed!r}"


def _of_objects(
    answer: dict[str, Any], seed: dict[str, Any], path: str, added: Added, same: Collection[str]
) -> Iterator[str]:
    if missing := seed.keys() - answer.keys():
        yield f"{path} lacks {sorted(missing)}"
    if more := answer.keys() - seed.keys() - set(added.get(path, ())):
        yield f"{path} has {sorted(more)}, which neither seed nor contract has"
    for key in sorted(seed.keys() & answer.keys()):
        yield from _differences(answer[key], seed[key], f"{path}.{key}", added, same)


def _of_lists(answer: list[Any], seed: list[Any], path: str, added: Added, same: Collection[str]) -> Iterator[str]:
    """The seed shows a few elements; those of an answer are like them, the further ones like its last."""
    if seed and not answer:
        yield f"{path} is empty"
    for index, element in enumerate(answer[: None if seed else 0]):
        yield from _differences(element, seed[min(index, len(seed) - 1)], f"{path}[]", added, same)
