"""What a request may say, declared once: a model validates it, words its refusal and describes it in OpenAPI.

Limits stand in the fields' constraints only; the sentence of a refusal is made from the field's JSON schema.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    StringConstraints,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema
from starlette.datastructures import QueryParams

from services.api.http.errors import ApiError, invalid_field, invalid_parameters, invalid_request

_MOST_DIGITS: Final = 1000  # of a number that is clamped; Python refuses to read one of some thousands
_PLAIN_DECIMAL: Final = re.compile(r"\d{1,4}(\.\d{1,6})?", re.ASCII)
COMPONENT: Final = "x-component"
"""In a field's JSON schema: the name of a shape that stands among the components of the OpenAPI document."""
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Of a field: the sentence that refuses any wrong value; its braces are filled from the field's JSON schema."""

    sentence: str
    supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """Of a text: the values that it may have."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """See pydantic's chapter on custom types."""
        return core_schema.literal_schema(list(self.values))


NO_NUL: Final = r"^[^\x00]*$"
PlainText = Annotated[str, StringConstraints(pattern=NO_NUL), Refusal("must not contain a NUL character")]
"""In a query string: a text that Postgres can be asked for."""


class RequestModel(BaseModel):
    """A query string or a JSON body. Unknown names are refused, not ignored."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @classmethod
    def read(cls, given: Mapping[str, Any], supported: Mapping[str, Iterable[str]] = MappingProxyType({})) -> Self:
        """What is given as this model. `supported` are the values of fields that the settings decide on.

        Raises ApiError (400): INVALID_REQUEST or INVALID_PARAMETERS.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise cls._refusal(error, supported) from error

    @classmethod
    def _refusal(cls, error: ValidationError, supported: Mapping[str, Iterable[str]]) -> ApiError:
        """Names that are not known go before the first wrong value."""
        if (unknown := cls._unknown(error)) is not None:
            return unknown
        name = str(error.errors(include_url=False, include_context=False)[0]["loc"][0])
        sentence, known = _worded(cls, name)
        return cls._wrong(name, sentence, sorted(supported[name]) if name in supported else known)

    @classmethod
    def _unknown(cls, error: ValidationError) -> ApiError | None:
        problems = error.errors(include_url=False, include_context=False)
        unknown = sorted(str(one["loc"][0]) for one in problems if one["type"] == "extra_forbidden")
        if not unknown:
            return None
        listed = ", ".join(name[:50] for name in unknown[:10])
        return invalid_request(f"not supported here: {listed}", supported=sorted(_properties(cls)))

    @classmethod
    def _wrong(cls, name: str, sentence: str, supported: list[str] | None) -> ApiError:
        return invalid_field(name, sentence, supported)


class QueryModel(RequestModel):
    """A query string, its texts read as what the fields are: whole numbers, plain decimals, flags, texts.

    Of a name that is repeated the last value counts, unless the field is a list.
    """

    @classmethod
    def of(cls, query: QueryParams) -> Self:
        """The model of a query string. Raises as `read`."""
        given: dict[str, Any] = dict(query)
        for name, kind in _kinds(cls).items():
            if name not in given:
                continue
            if kind == "array":
                given[name] = query.getlist(name)
            elif (read := _READERS.get(kind)) is not None:
                given[name] = read(given[name])
        return cls.read(given)


class EnvelopeModel(RequestModel):
    """A body that is malformed as such where a value is wrong: INVALID_REQUEST."""

    @classmethod
    def _wrong(cls, name: str, sentence: str, supported: list[str] | None) -> ApiError:
        return invalid_request(f"{name} {sentence}", **({} if supported is None else {"supported": supported}))


class FieldsModel(RequestModel):
    """A body of which every wrong field is named, also those that are not known: INVALID_PARAMETERS."""

    WHOLE: ClassVar = "body"
    """What the field is called where several are wrong together."""

    @classmethod
    def _refusal(cls, error: ValidationError, supported: Mapping[str, Iterable[str]]) -> ApiError:
        known = {name: list(values) for name, values in supported.items()}
        return invalid_values(error, cls.WHOLE, known or None)


def printable(text: str) -> str:
    """Raises ValueError for a text with control characters."""
    if not text.isprintable():
        raise ValueError("must not contain control characters")
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
    message = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
    return invalid_parameters(message, fields, supported)


def not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a value where it is given: a query string has no null."""
    given = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "title")}
    return {**(given[0] if given else {}), **rest}


@cache
def _properties(model: type[BaseModel]) -> dict[str, Any]:
    properties: dict[str, Any] = model.model_json_schema()["properties"]
    return properties


@cache
def _kinds(model: type[BaseModel]) -> dict[str, str]:
    return {name: not_null(schema)["type"] for name, schema in _properties(model).items()}


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else text


def _decimal(text: str) -> float | str:
    return float(text) if _PLAIN_DECIMAL.fullmatch(text) else text


def _flag(text: str) -> bool | str:
    return FLAGS.get(text.lower(), text)


_READERS: Final = {"integer": _whole, "number": _decimal, "boolean": _flag}
"""By the JSON type of a field: what makes a value of its text. Another text stays a text, which the field refuses."""


def _worded(model: type[BaseModel], name: str) -> tuple[str, list[str] | None]:
    """The sentence that refuses a field, and what is supported instead."""
    schema = not_null(_properties(model)[name])
    schema = schema.get("items", schema)
    field = next(field for key, field in model.model_fields.items() if name in (key, field.alias))
    for refusal in _refusals((field.annotation, *field.metadata)):
        return refusal.sentence.format(**schema), list(refusal.supported) or None
    if known := schema.get("enum"):
        return f"must be one of {', '.join(known)}", list(known)
    return _bounds(schema), None


def _refusals(parts: Iterable[object]) -> Iterator[Refusal]:
    """Those of a field, also within `X | None`."""
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
            return f"must be a text of {least} to {most} characters"
        case {"type": "boolean"}:
            return "must be true or false"
    raise AssertionError(f"a field with the schema {schema} needs a Refusal")
