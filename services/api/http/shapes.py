"""The base of request models: one model validates a request, words its errors and describes it in OpenAPI.

Limits are declared in the fields' constraints only; error messages are made from the field's JSON schema.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.datastructures import QueryParams

from schemas.fields import ONE_LINE
from services.api.http.constraints import Refusal, WrongValueError
from services.api.http.errors import ApiError, invalid_field, invalid_parameters, invalid_request
from services.api.http.field_names import names_at

UNKNOWN: Final = "extra_forbidden"
"""Pydantic's type of the error for a name that a model does not have."""
MOST_SHOWN: Final = 50  # characters of such a name
_MAX_DIGITS: Final = 1000  # of a number that is clamped; Python refuses to parse some thousands of digits
_PLAIN_DECIMAL: Final = re.compile(r"\d{1,4}(\.\d{1,6})?", re.ASCII)
COMPONENT: Final = "x-component"
"""The key in a field's JSON schema for the name of a component of the OpenAPI document that replaces the schema."""
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


class RequestModel(BaseModel):
    """A query string or a JSON body. Unknown names are refused, not ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def read(
        cls,
        values: Mapping[str, Any],
        supported: Mapping[str, Iterable[str]] = MappingProxyType({}),
        context: Mapping[str, Any] | None = None,
    ) -> Self:
        """Validate `values`. `supported` are the allowed values of fields that the settings decide on; `context` is
        what validators must know of the moment, such as the time.

        Raises ApiError (400): INVALID_REQUEST or INVALID_PARAMETERS.
        """
        try:
            return cls.model_validate(values, context=context)
        except ValidationError as error:
            raise cls._refusal(error, supported) from error

    @classmethod
    def _refusal(cls, error: ValidationError, supported: Mapping[str, Iterable[str]]) -> ApiError:
        """Return the error for unknown names, else for the first wrong value."""
        if (unknown := cls._unknown(error)) is not None:
            return unknown
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        own = problem.get("ctx", {}).get("error")
        sentence, allowed = (str(own), own.supported) if isinstance(own, WrongValueError) else _sentence(cls, name)
        return cls._wrong(name, sentence, sorted(supported[name]) if name in supported else allowed)

    @classmethod
    def _unknown(cls, error: ValidationError) -> ApiError | None:
        problems = error.errors(include_url=False, include_context=False)
        unknown = sorted(str(one["loc"][0]) for one in problems if one["type"] == UNKNOWN)
        return (
            cls._unsupported([name[:MOST_SHOWN] for name in unknown[:10]], sorted(_properties(cls)))
            if unknown
            else None
        )

    @classmethod
    def _unsupported(cls, names: list[str], supported: list[str]) -> ApiError:
        return invalid_request(f"not supported here: {', '.join(names)}", supported=supported)

    @classmethod
    def _wrong(cls, name: str, sentence: str, supported: list[str] | None) -> ApiError:
        return invalid_field(name, sentence, supported)


class QueryModel(RequestModel):
    """A query string, parsed by the types of the fields: whole numbers, plain decimals, flags, texts, lists.

    The last value of a repeated name counts, unless the field is a list.
    """

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """Validate a query string. Raises as `read`."""
        values: dict[str, Any] = dict(query)
        for name, kind in _kinds(cls).items():
            if name in values and kind == "array":
                values[name] = query.getlist(name)
            elif name in values and kind in _PARSERS:
                values[name] = _PARSERS[kind](values[name])
        return cls.read(values)


class EnvelopeModel(RequestModel):
    """A body whose wrong values are an INVALID_REQUEST."""

    @classmethod
    def _wrong(cls, name: str, sentence: str, supported: list[str] | None) -> ApiError:
        return invalid_request(f"{name} {sentence}", **({} if supported is None else {"supported": supported}))


class FieldsModel(RequestModel):
    """A body whose wrong and unknown fields are all listed in one INVALID_PARAMETERS."""

    _whole: ClassVar[str] = "body"
    """The name of the field in errors of several fields together."""

    @classmethod
    def _refusal(cls, error: ValidationError, supported: Mapping[str, Iterable[str]]) -> ApiError:
        return invalid_values(error, cls, cls._whole, {name: list(values) for name, values in supported.items()})


def invalid_values(
    error: ValidationError, model: type[BaseModel], whole: str, supported: Mapping[str, Any] = MappingProxyType({})
) -> ApiError:
    """Return a 400 for a validation error of the `model`. `whole` is the field's name for errors of several fields
    together; `supported` are allowed values, of which the error has those that it is about."""
    problems = error.errors(include_url=False, include_input=False)
    fields, about = [], {}
    for problem in problems:
        *place, name = problem["loc"] or (whole,)
        sentence = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == UNKNOWN:
            about[".".join(map(str, place)) or "parameters"] = names = names_at(model, place)
            name, sentence = str(name)[:MOST_SHOWN], f"is unknown here; supported are {', '.join(names)}"
        fields.append({"field": ".".join(map(str, (*place, name))), "message": sentence})
    message = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
    causes = [problem.get("ctx", {}).get("error") for problem in problems]
    own = next((one.supported for one in causes if isinstance(one, WrongValueError)), None)
    wrong = {str(one["loc"][0]) if one["loc"] else whole for one in problems if one["type"] != UNKNOWN}
    of_whole = set(supported).difference(names_at(model, ())) if whole in wrong else set()
    about |= {name: values for name, values in supported.items() if name in wrong | of_whole}
    return invalid_parameters(message, fields, own or about or None)


def not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value's schema without null: a query string has none."""
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    return {**(options[0] if options else {}), **rest}


@cache
def _properties(model: type[BaseModel]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


@cache
def _kinds(model: type[BaseModel]) -> dict[str, str]:
    return {name: not_null(schema)["type"] for name, schema in _properties(model).items()}


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else text


def _decimal(text: str) -> float | str:
    return float(text) if _PLAIN_DECIMAL.fullmatch(text) else text


def _flag(text: str) -> bool | str:
    return FLAGS.get(text.lower(), text)


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {"integer": _whole, "number": _decimal, "boolean": _flag}
"""By the JSON type of a field: the parser of its text. A text that it cannot parse stays, and the field refuses it."""


def _sentence(model: type[BaseModel], name: str) -> tuple[str, list[str] | None]:
    """Return the message for a wrong value of a field, and the allowed values."""
    schema = not_null(_properties(model)[name])
    schema = schema.get("items", schema)
    field = next(field for key, field in model.model_fields.items() if name in (key, field.alias))
    for refusal in _refusals((field.annotation, *field.metadata)):
        return refusal.sentence.format(**schema), list(refusal.supported) or None
    if allowed := schema.get("enum"):
        return f"must be one of {', '.join(allowed)}", list(allowed)
    return _bounds(schema), None


def _refusals(parts: Iterable[object]) -> Iterator[Refusal]:
    """Yield the Refusals of a field, also within `X | None`."""
    for part in parts:
        if isinstance(part, Refusal):
            yield part
        yield from _refusals(get_args(part))


def _bounds(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"must be a whole number from {least} to {most}"
        case {"type": "integer", "minimum": least}:
            return f"must be a whole number of at least {least}"
        case {"type": "number", "minimum": least, "maximum": most}:
            return f"must be a number of seconds from {least:g} to {most:g}"
        case {"type": "string", "minLength": least, "maxLength": most}:
            controls = " without control characters" if schema.get("pattern") == ONE_LINE else ""
            return f"must be a text of {least} to {most} characters{controls}"
        case {"type": "boolean"}:
            return "must be true or false"
    return "is not valid"
