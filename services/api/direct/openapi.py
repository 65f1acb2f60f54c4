"""The OpenAPI descriptions of the endpoints that wrap one job (docs/contract/secretary.md#direct-endpoints)."""

from services.api.direct.requests import MISTRAL_FORM, PDF_FORM, TEMPLATE_FORM, DirectForm, described
from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import BAD_DIRECT, BYTES, KEY, USER, content, form_body, operation


def _schema(form: DirectForm, file: bool) -> Json:
    """Return the schema of a form, the job's parameters first."""
    fields = described(form.model)
    properties = {name: fields[name] for name in (*form.parameters, *fields)} | ({"file": BYTES} if file else {})
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _direct(summary: str, form: DirectForm, example: Json, file: bool = False) -> Json:
    """Describe an endpoint: a form, or JSON without a file, in; a result or an acknowledgement out."""
    types = () if file else ("application/x-www-form-urlencoded", "application/json")
    body = form_body(_schema(form, file), example, *types)
    answers = {
        200: content("application/json", examples.PROCESSED, "The result, if the job ended within wait_ms"),
        202: content("application/json", examples.ACCEPTED, "The job was created"),
    }
    return operation(summary, answers, (400, 401, 413, 422, 429, 503, 507), body, (KEY, USER), BAD_DIRECT)


_CALLBACK = {"callback_url": "https://example.com/webhook", "callback_token": "secret", "jobId": "client_job_id"}
PROCESS_PDF = _direct(
    "Extract from an uploaded PDF",
    PDF_FORM,
    {"file": "(the file's bytes)", "extraction_method": "native", **_CALLBACK},
    file=True,
)
PROCESS_URL = _direct(
    "Extract from a PDF at an address", PDF_FORM, {"url": "https://example.com/a.pdf", "wait_ms": 30_000}
)
PROCESS_MISTRAL = _direct(
    "Read an uploaded PDF with Mistral's OCR",
    MISTRAL_FORM,
    {"file": "(the file's bytes)", "includePreviewPages": True, **_CALLBACK},
    file=True,
)
TRANSFORM = _direct(
    "Fill a template from a text or a page", TEMPLATE_FORM, {"text": "We met on Monday…", "template": "MeetingMinutes"}
)
