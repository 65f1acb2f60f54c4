"""Endpoints that wrap one job (contract 2d): form fields in, a job's parameters out; acknowledgements and results.

Pure. Field names are those of the clients that exist; ours, in snake case, mean the same.
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

MAX_WAIT_MS = 300_000
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
OWN = frozenset({"callback_url", "callback_token", "jobId", "wait_ms"})


@dataclass(frozen=True)
class DirectForm:
    """The form of an endpoint: by the name of a field, the parameter that it gives."""

    model: type[JobParameters]
    fields: Mapping[str, str]

    @cached_property
    def schemas(self) -> dict[str, Any]:
        """By the name of a field: the JSON schema of its parameter."""
        known = schema_of(self.model)["properties"]
        schemas = {name: not_null(known[parameter]) for name, parameter in self.fields.items()}
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
"""What these endpoints call our refusals (contract 16)."""


@dataclass(frozen=True, slots=True)
class DirectRequest:
    """What a form asks for: a job's parameters, and how to answer."""

    parameters: dict[str, Any]
    client_id: str | None
    callback_url: str | None
    wait_ms: int | None


def asked_of(values: Mapping[str, Any], form: DirectForm) -> DirectRequest:
    """The request in a form's texts or a JSON object's values. Raises ApiError INVALID_PARAMETERS (400)."""
    unknown = sorted(values.keys() - form.fields.keys() - OWN)
    if unknown:
        problems = [{"field": name[:50], "message": "is not known here"} for name in unknown[:10]]
        listed = ", ".join(name[:50] for name in unknown[:10])
        raise invalid_parameters(f"not supported here: {listed}", problems, sorted({*form.fields, *OWN}))
    given = {name: value for name, value in values.items() if value is not None and value != ""}
    parameters = {
        form.fields[name]: _value(name, form.schemas[name]["type"], value)
        for name, value in given.items()
        if name in form.fields
    }
    url, client_id = _text(given, "callback_url"), _text(given, "jobId")
    if webhook := _webhook(url, _text(given, "callback_token"), client_id):
        parameters["webhook"] = webhook
    return DirectRequest(parameters, client_id, url, _wait_ms(given))


def acknowledgement(job_id: str, job_type: str, asked: DirectRequest, started: datetime) -> dict[str, Any]:
    """The 202 answer: the job is under way."""
    return _answer("accepted", job_id, job_type, asked, started, False, None)


def outcome(row: JobRow, documents: JobContents, asked: DirectRequest) -> tuple[int, dict[str, Any]]:
    """Status and answer for a job that has ended: 200 and its result, or 400 and why there is none."""
    from_cache = bool(row.job and row.job.from_cache)
    if row.status is Status.COMPLETED:
        answer = _answer("success", row.job_id, row.job_type, asked, row.created_at, from_cache, None)
        return 200, {**answer, "data": (documents.result or {}).get("structured_data")}
    error = job_error(row, documents.error)
    return 400, {**_answer("error", row.job_id, row.job_type, asked, row.created_at, False, error), "data": None}


def renamed(error: ApiError) -> ApiError:
    """A refusal under the name that clients of these endpoints know."""
    return ApiError(error.status, NAMES.get(error.code, error.code), error.message, error.details, error.headers)


def _answer(
    status: str,
    job_id: str,
    job_type: str,
    asked: DirectRequest,
    started: datetime,
    from_cache: bool,
    error: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "status": status,
        "worker": "secretary",
        "process": {
            "id": job_id,
            "main_processor": job_type,
            "started": timestamp(started),
            "is_from_cache": from_cache,
        },
        "job": {"id": asked.client_id or job_id},
        "webhook": None if asked.callback_url is None else {"delivered_to": asked.callback_url},
        "error": error,
    }


def _webhook(url: str | None, token: str | None, client_id: str | None) -> dict[str, str] | None:
    if url is None:
        if token is not None:
            raise invalid_field("callback_token", "needs a callback_url")
        return None
    given = {"url": url, "token": token, "jobId": client_id}
    return {name: value for name, value in given.items() if value is not None}


def _value(name: str, kind: str, value: Any) -> Any:
    """A form's text as what it stands for; JSON values stay what they are, for the parameters' own rules."""
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


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_field(name, "must be a text")
    return value


def _wait_ms(given: Mapping[str, Any]) -> int | None:
    if "wait_ms" not in given:
        return None
    wait = _number("wait_ms", given["wait_ms"])
    if wait > MAX_WAIT_MS:
        raise invalid_field("wait_ms", f"must be at most {MAX_WAIT_MS}")
    return wait
