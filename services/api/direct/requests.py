"""Endpoints that wrap one job (docs/contract/secretary.md#direct-endpoints): forms in, answers out.

Pure. Field names are those of existing clients, or the same in snake case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
)

from piperoll.domain.job import Status
from schemas.errors import ErrorCode
from schemas.fields import MAX_LABEL_CHARS, is_label
from schemas.job_types.parameters import JobParameters, Webhook
from schemas.job_types.pdf import PdfParameters
from schemas.job_types.transformer import TransformerParameters
from services.api.http.answers import timestamp
from services.api.http.bodies import parse_object
from services.api.http.constraints import Refusal, WrongValueError
from services.api.http.errors import ApiError, invalid_parameters
from services.api.http.shapes import RequestModel, not_null
from services.api.jobs.views import JobContents, job_error
from services.api.openapi.grammar import schema_of
from services.api.read_model.job_rows import JobRow

MAX_WAIT_MS = 300_000  # also the default for a template without a callback: longer than any provider may take
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def described(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schemas of a model's fields, without null and defaults: what a form lacks was not given."""
    fields = {name: not_null(schema) for name, schema in schema_of(model)["properties"].items()}
    return {name: {key: schema[key] for key in schema if key != "default"} for name, schema in fields.items()}


_HOOK: Final = described(Webhook)
_TEXT: Final = Refusal("must be a text")


def _whole_number(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise WrongValueError("must be a whole number")
    return int(text)


def _label(value: str) -> str:
    if not is_label(value):
        raise WrongValueError(f"must be a text of 1 to {MAX_LABEL_CHARS} characters without control characters")
    return value


class DirectFields(RequestModel):
    """The fields of every form: the receiver of the result, and how long the answer waits for it.

    The job's `webhook` has the limits of the receiver. A form adds the parameters of its job type.
    """

    callback_url: Annotated[str, WithJsonSchema(_HOOK["url"]), _TEXT] | None = None
    client_id: Annotated[str, AfterValidator(_label), WithJsonSchema(_HOOK["jobId"]), _TEXT] | None = Field(
        default=None, alias="jobId"
    )
    callback_token: Annotated[str, WithJsonSchema(_HOOK["token"]), _TEXT] | None = None
    wait_ms: (
        Annotated[
            int, Field(ge=0, le=MAX_WAIT_MS), BeforeValidator(_whole_number), Refusal("must be at most {maximum}")
        ]
        | None
    ) = None

    @field_validator("callback_token")
    @classmethod
    def _has_receiver(cls, token: str | None, info: ValidationInfo) -> str | None:
        if token is not None and info.data.get("callback_url") is None:
            raise WrongValueError("needs a callback_url")
        return token

    @classmethod
    def _unsupported(cls, names: list[str], supported: list[str]) -> ApiError:
        problems = [{"field": name, "message": "is not supported here"} for name in names]
        return invalid_parameters(f"not supported here: {', '.join(names)}", problems, supported)

    @property
    def webhook(self) -> dict[str, str] | None:
        """The job's webhook; None without a receiver."""
        if self.callback_url is None:
            return None
        webhook = {"url": self.callback_url, "token": self.callback_token, "jobId": self.client_id}
        return {name: value for name, value in webhook.items() if value is not None}


@dataclass(frozen=True)
class DirectForm:
    """The form of an endpoint, and the job's parameter by the name of a field."""

    model: type[DirectFields]
    parameters: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all fields."""
        return frozenset(described(self.model))


def _form(model: type[JobParameters], names: str, **renamed: str) -> DirectForm:
    """Return a form; its fields are described as the job's parameters, which the job type's model validates."""
    common = "url template context target_language use_cache force_refresh target_id priority"
    parameters = {**{name: name for name in f"{common} {names}".split()}, "useCache": "use_cache", **renamed}
    schemas = described(model)
    fields: dict[str, Any] = {name: (_parameter(schemas[known]), None) for name, known in parameters.items()}
    return DirectForm(create_model(f"{model.__name__}Form", __base__=DirectFields, **fields), parameters)


def _parameter(schema: dict[str, Any]) -> Any:
    return Annotated[Any, BeforeValidator(partial(_parsed, schema["type"])), WithJsonSchema(schema)]


def _parsed(kind: str, value: Any) -> Any:
    """Parse a form's text by the JSON type of its parameter; JSON values stay."""
    if not isinstance(value, str) or kind == "string":
        return value
    if kind == "integer":
        return _whole_number(value)
    if kind == "boolean":
        if value.lower() not in BOOLEANS:
            raise WrongValueError(f"must be one of {', '.join(BOOLEANS)}")
        return BOOLEANS[value.lower()]
    try:
        return parse_object(value.encode()).value
    except ApiError as error:
        raise WrongValueError(f"must be a JSON object: {_about(error)}") from error


def _about(error: ApiError) -> str:
    return error.message.removeprefix("the body ").removeprefix("is not valid JSON: ")


_PDF = "ocr_engine searchable_pdf include_images page_start page_end file_hash"
PDF_FORM = _form(PdfParameters, f"extraction_method {_PDF}", includeImages="include_images")
MISTRAL_FORM = _form(
    PdfParameters,
    _PDF,
    includeImages="include_images",
    includeOCRImages="include_ocr_images",
    includePreviewPages="include_preview_pages",
    includeHighResPages="include_high_res_pages",
)
TEMPLATE_FORM = _form(
    TransformerParameters,
    "text template_content source_language additional_field_descriptions container_selector model provider",
)

NAMES = {
    ErrorCode.INVALID_PARAMETERS: ErrorCode.DIRECT_VALIDATION_ERROR,
    ErrorCode.INVALID_REQUEST: ErrorCode.DIRECT_INVALID_REQUEST,
}
"""The names of error codes at these endpoints (docs/contract/secretary.md#codes)."""


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """A validated form: a job's parameters, and how to answer."""

    parameters: dict[str, Any]
    client_id: str | None
    callback_url: str | None
    wait_ms: int | None


def direct_request(values: Mapping[str, Any], form: DirectForm) -> DirectRequest:
    """Validate a form's texts or a JSON object's values; what is empty or null was not given.

    Raises ApiError INVALID_PARAMETERS (400).
    """
    given = {name: value for name, value in values.items() if value not in (None, "") or name not in form.names}
    fields = form.model.read(given)
    parameters = {form.parameters[name]: getattr(fields, name) for name in given if name in form.parameters}
    if webhook := fields.webhook:
        parameters["webhook"] = webhook
    return DirectRequest(parameters, fields.client_id, fields.callback_url, fields.wait_ms)


def acknowledgement(request: DirectRequest, job_id: str, job_type: str, started: datetime) -> dict[str, Any]:
    """Return the 202 answer: the job was created."""
    return {
        "status": "accepted",
        "worker": "secretary",
        "process": {"id": job_id, "main_processor": job_type, "started": timestamp(started), "is_from_cache": False},
        "job": {"id": request.client_id or job_id},
        "webhook": None if request.callback_url is None else {"delivered_to": request.callback_url},
        "error": None,
    }


def outcome(request: DirectRequest, row: JobRow, contents: JobContents) -> tuple[int, dict[str, Any]]:
    """Return status and answer for a job that has ended: 200 and its result, or 400 and its error."""
    answer = acknowledgement(request, row.job_id, row.job_type, row.created_at)
    if row.status is not Status.COMPLETED:
        return 400, {**answer, "status": "error", "error": job_error(row, contents.error), "data": None}
    answer["process"]["is_from_cache"] = bool(row.job and row.job.from_cache)
    return 200, {**answer, "status": "success", "data": (contents.result or {}).get("structured_data")}


def renamed(error: ApiError) -> ApiError:
    """Return an error under the code that clients of these endpoints know."""
    return ApiError(error.status, NAMES.get(error.code, error.code), error.message, error.details, error.headers)
