"""Endpoints that wrap one job (docs/contract/secretary.md#direct-endpoints): forms in, answers out.

Pure. Field names are those of existing clients, or the same in snake case.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic_core import from_json

from piperoll.domain.job import Status
from schemas.errors import ErrorCode
from schemas.job_types.parameters import JobParameters
from schemas.job_types.pdf import PdfParameters
from schemas.job_types.transformer import TransformerParameters
from services.api.http.answers import timestamp
from services.api.http.errors import ApiError, invalid_field, invalid_parameters
from services.api.http.shapes import not_null
from services.api.jobs.views import JobContents, job_error
from services.api.openapi.grammar import schema_of
from services.api.read_model.job_rows import JobRow

MAX_WAIT_MS = 300_000  # also the default for a template without a callback: longer than any provider may take
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
OWN = frozenset({"callback_url", "callback_token", "jobId", "wait_ms"})


@dataclass(frozen=True)
class DirectForm:
    """The form of an endpoint: the job's parameter by the name of a field."""

    model: type[JobParameters]
    fields: Mapping[str, str]

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """Return the JSON schema of each field's parameter."""
        properties = schema_of(self.model)["properties"]
        schemas = {name: not_null(properties[parameter]) for name, parameter in self.fields.items()}
        return {name: {key: schema[key] for key in schema if key != "default"} for name, schema in schemas.items()}


def _form(model: type[JobParameters], names: str, **renamed: str) -> DirectForm:
    common = "url template context target_language use_cache force_refresh target_id priority"
    fields = {name: name for name in f"{common} {names}".split()}
    return DirectForm(model, {**fields, "useCache": "use_cache", **renamed})


_PDF = "ocr_engine include_images page_start page_end file_hash"
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
    """Validate a form's texts or a JSON object's values. Raises ApiError INVALID_PARAMETERS (400)."""
    unknown = sorted(values.keys() - form.fields.keys() - OWN)
    if unknown:
        problems = [{"field": name[:50], "message": "is not supported here"} for name in unknown[:10]]
        listed = ", ".join(name[:50] for name in unknown[:10])
        raise invalid_parameters(f"not supported here: {listed}", problems, sorted({*form.fields, *OWN}))
    filled = {name: value for name, value in values.items() if value is not None and value != ""}
    parameters = {
        form.fields[name]: _value(name, form.schemas[name]["type"], value)
        for name, value in filled.items()
        if name in form.fields
    }
    url, client_id = _text(filled, "callback_url"), _text(filled, "jobId")
    if webhook := _webhook(url, _text(filled, "callback_token"), client_id):
        parameters["webhook"] = webhook
    return DirectRequest(parameters, client_id, url, _wait_ms(filled))


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


def _webhook(url: str | None, token: str | None, client_id: str | None) -> dict[str, str] | None:
    if url is None:
        if token is not None:
            raise invalid_field("callback_token", "needs a callback_url")
        return None
    webhook = {"url": url, "token": token, "jobId": client_id}
    return {name: value for name, value in webhook.items() if value is not None}


def _value(name: str, kind: str, value: Any) -> Any:
    """Parse a form's text by the type of its parameter; JSON values stay, and the parameters' model validates them."""
    if not isinstance(value, str) or kind == "string":
        return value
    if kind == "integer":
        return _number(name, value)
    if kind == "boolean":
        if value.lower() not in BOOLEANS:
            raise invalid_field(name, f"must be one of {', '.join(BOOLEANS)}")
        return BOOLEANS[value.lower()]
    try:
        return from_json(value)
    except ValueError as error:
        raise invalid_field(name, f"must be a JSON object: {error}") from error


def _number(name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise invalid_field(name, "must be a whole number")
    return int(text)


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_field(name, "must be a text")
    return value


def _wait_ms(values: Mapping[str, Any]) -> int | None:
    if "wait_ms" not in values:
        return None
    wait = _number("wait_ms", values["wait_ms"])
    if wait > MAX_WAIT_MS:
        raise invalid_field("wait_ms", f"must be at most {MAX_WAIT_MS}")
    return wait
