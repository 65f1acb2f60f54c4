"""The building blocks of the OpenAPI document: operations, bodies, parameters and answers.

Each room describes its paths in `openapi.py`.
"""

from functools import partial
from typing import Any, Final

from pydantic import BaseModel
from starlette.responses import Response

from services.api.http.caller import IDEMPOTENCY_KEY, USER_ID, TextHeader
from services.api.http.shapes import COMPONENT, not_null
from services.api.openapi.examples import Json

ERRORS = {
    400: ("INVALID_PARAMETERS", "Malformed request or wrong parameters: INVALID_REQUEST, INVALID_PARAMETERS"),
    401: ("UNAUTHORIZED", "No key, or an invalid one: UNAUTHORIZED"),
    403: ("FORBIDDEN", "The key lacks the required scope: FORBIDDEN"),
    404: ("NOT_FOUND", "It does not exist, or belongs to another owner: NOT_FOUND"),
    408: ("EXTRACTION_TIMEOUT", "The extraction takes longer; the document was added: EXTRACTION_TIMEOUT"),
    409: ("CONFLICT", "The current state does not allow it, or a maximum is reached: CONFLICT"),
    413: ("BODY_TOO_LARGE", "The body is larger than allowed: BODY_TOO_LARGE"),
    416: ("RANGE_NOT_SATISFIABLE", "The range begins beyond the end of the file: RANGE_NOT_SATISFIABLE"),
    422: ("IDEMPOTENCY_CONFLICT", "The Idempotency-Key was used for another body: IDEMPOTENCY_CONFLICT"),
    429: ("QUOTA_EXCEEDED", "A limit of the owner is reached, see Retry-After: QUOTA_EXCEEDED, RATE_LIMITED"),
    503: (
        "READ_MODEL_UNAVAILABLE",
        "A part of the system does not answer, see Retry-After: OUTCOME_UNKNOWN, READ_MODEL_UNAVAILABLE, STORAGE_ERROR",
    ),
    507: (
        "INSUFFICIENT_STORAGE",
        "The owner stores too much, or the disk is nearly full, see Retry-After: INSUFFICIENT_STORAGE",
    ),
}
"""By status: the code of the example, and the description."""
NOTHING_TO_DOWNLOAD = ("NO_ARCHIVE", "The job has ended without such an output: NO_ARCHIVE")
BAD_JOB = (
    "INVALID_PARAMETERS",
    "Malformed request or wrong parameters: INVALID_REQUEST, UNKNOWN_JOB_TYPE, INVALID_PARAMETERS, BLOCKED_ADDRESS",
)
BAD_DIRECT = ("ValidationError", "Wrong fields: ValidationError, InvalidRequest; with `wait_ms` also a failed job")

SECRETARY: Json = {"status": "error"}
DEVANA: Json = {"success": False}
"""The status in an error's envelope: docs/contract/secretary.md#conventions and docs/contract/devana.md#envelope."""
_COMPONENTS: Final = "#/components/schemas/{model}"
_ERROR: Json = {
    "type": "object",
    "required": ["code", "message", "details"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}},
}


def operation(
    summary: str,
    answers: dict[int, Json],
    errors: tuple[int, ...] = (),
    body: Json | None = None,
    parameters: tuple[Json, ...] = (),
    bad: tuple[str, str] = ERRORS[400],
    envelope: Json = SECRETARY,
    every: tuple[int, ...] = (401, 429, 503),
) -> Json:
    """Return the keyword arguments of a route. `errors` are added to those of `every` path; `bad` describes the 400."""
    extra: Json = {"security": [{"bearer": []}]}
    if body is not None:
        extra["requestBody"] = body
        every = (*every, 413)
    if parameters:
        extra["parameters"] = list(parameters)
    statuses = sorted({*every, *errors} - answers.keys())
    refusals = {status: refusal(*(bad if status == 400 else ERRORS[status]), envelope) for status in statuses}
    return {
        "summary": summary,
        "openapi_extra": extra,
        "responses": answers | refusals,
        "response_class": Response,  # the default class would add an empty JSON answer
    }


devana_operation = partial(operation, envelope=DEVANA, every=(401, 429, 503))
"""As `operation`, for a path under /v1."""


def data(example: Any, description: str = "Done") -> Json:
    """Return an answer in the success envelope."""
    return content("application/json", {"status": "success", "data": example}, description)


def devana_data(example: Any, description: str = "Done") -> Json:
    """Return an answer in the envelope of the paths under /v1."""
    return content("application/json", {"success": True, "data": example}, description)


def content(media_type: str, example: Any, description: str, schema: Json | None = None) -> Json:
    """Return an answer of any media type."""
    body: Json = {"schema": schema or {"type": "object"}}
    if example is not None:
        body["example"] = example
    return {"description": description, "content": {media_type: body}}


def refusal(code: str, description: str, envelope: Json = SECRETARY) -> Json:
    """Return an error answer; its message is `description` up to the colon."""
    message = description.partition(":")[0]
    example = {**envelope, "error": {"code": code, "message": message, "details": {}}}
    schema: Json = {
        "type": "object",
        "required": [*envelope, "error"],
        "properties": {**{name: {"const": value} for name, value in envelope.items()}, "error": _ERROR},
    }
    return content("application/json", example, description, schema)


def json_body(model: type[BaseModel], example: Any, required: bool = True) -> Json:
    """Return a JSON request body."""
    return {"required": required, "content": {"application/json": {"schema": schema_of(model), "example": example}}}


def form_body(schema: Json, example: Any, *media_types: str) -> Json:
    """Return a form as a request body; `media_types` are accepted besides multipart."""
    form = {"schema": schema, "example": example}
    return {"required": True, "content": dict.fromkeys((*media_types, "multipart/form-data"), form)}


def schema_of(model: type[BaseModel]) -> Json:
    """Return the JSON schema of a model without the titles that pydantic derives from names."""
    schema = model.model_json_schema(ref_template=_COMPONENTS)
    return {name: _untitled(part) for name, part in schema.items() if name not in ("title", "description", "$defs")}


def query_of(model: type[BaseModel]) -> tuple[Json, ...]:
    """Return the query parameters of a model."""
    schema = schema_of(model)
    return tuple(_query(name, part, name in schema.get("required", ())) for name, part in schema["properties"].items())


def header(name: str, description: str, **limits: Any) -> Json:
    """Return a request header."""
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string", **limits}}


def text_header(declared: TextHeader, description: str) -> Json:
    """Return a request header of bounded length."""
    return header(declared.name, description, minLength=1, maxLength=declared.max_length)


def _query(name: str, schema: Json, required: bool) -> Json:
    schema = not_null(schema)
    description = schema.pop("description")
    schema = schema.get("items", schema)  # a list is a name that is repeated
    schema = {key: value for key, value in schema.items() if key != "default" or value not in (None, [])}
    if schema["type"] == "number":
        description, schema["multipleOf"] = f"{description} (a plain decimal: at most six places, no exponent)", 1e-6
    parameter = {"name": name, "in": "query", "description": description, "schema": schema}
    return {**parameter, "required": True} if required else parameter


def _untitled(schema: Any) -> Any:
    if isinstance(schema, dict):
        if COMPONENT in schema:
            return {"$ref": _COMPONENTS.format(model=schema[COMPONENT])}
        return {name: _untitled(value) for name, value in schema.items() if name != "title" or isinstance(value, dict)}
    return [_untitled(one) for one in schema] if isinstance(schema, list) else schema


BYTES: Json = {"type": "string", "format": "binary"}
KEY = text_header(IDEMPOTENCY_KEY, "A repeat with the same key and body gets the first answer again")
USER = text_header(USER_ID, "A label for created jobs and batches, and a filter of lists")
LABEL = text_header(USER_ID, "A label for what is created")
