"""What query strings and bodies have in common: names, numbers and texts, and how wrong ones are refused. Pure."""

import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from services.api.http.errors import ApiError, invalid_field, invalid_parameters, invalid_request

_SECONDS: Final = re.compile(r"\d{1,4}(\.\d{1,6})?", re.ASCII)


def check_names(given: Iterable[str], known: Collection[str]) -> None:
    """Nothing is accepted and ignored. Raises ApiError INVALID_REQUEST (400)."""
    if unknown := sorted(set(given).difference(known)):
        listed = ", ".join(name[:50] for name in unknown[:10])
        raise invalid_request(f"not supported here: {listed}", supported=sorted(known))


def whole_number(query: QueryParams, name: str, default: int, most: int) -> int:
    """A number in a query string. Raises ApiError INVALID_PARAMETERS (400)."""
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > most:
        raise invalid_field(name, f"must be a whole number from 0 to {most}")
    return int(text)


def seconds(query: QueryParams, name: str, most: float) -> float | None:
    """A duration in a query string. Raises ApiError INVALID_PARAMETERS (400)."""
    text = query.get(name)
    if text is None:
        return None
    if not _SECONDS.fullmatch(text) or float(text) > most:
        raise invalid_field(name, f"must be a number of seconds from 0 to {most:g}")
    return float(text)


def plain_text(query: QueryParams, name: str) -> str | None:
    """A text in a query string that Postgres can be asked for. Raises ApiError INVALID_PARAMETERS (400)."""
    text = query.get(name)
    if text is not None and "\x00" in text:
        raise invalid_field(name, "must not contain a NUL character")
    return text


def invalid_values(error: ValidationError, whole: str, supported: Any = None) -> ApiError:
    """400 for what a model refused. `whole` is what the field is called where several are wrong together."""
    fields = [
        {
            "field": ".".join(map(str, problem["loc"])) or whole,
            "message": problem["msg"].removeprefix("Value error, "),
        }
        for problem in error.errors(include_url=False, include_input=False)
    ]
    said = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
    return invalid_parameters(said, fields, supported)
