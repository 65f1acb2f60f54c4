"""The names that a model of a request takes at a place in it, for the refusal of another name. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel


def names_at(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """Return the names of the object at `path`, such as `("items", 0)`, in order; none if no model describes it."""
    found: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, str) and found is not None:
            found = next(_models((_annotation(found, part),)), None)
    return sorted(field.alias or name for name, field in found.model_fields.items()) if found else []


def _annotation(model: type[BaseModel], name: str) -> Any:
    return next((field.annotation for key, field in model.model_fields.items() if name in (key, field.alias)), None)


def _models(parts: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """Yield the models of an annotation, also within `list[X]` and `X | None`."""
    for part in parts:
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield part
        yield from _models(get_args(part))
