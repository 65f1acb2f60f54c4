"""The `transformer` job: fill a template (docs/contract/secretary.md#transformer-parameters, #steps, #results)."""

import hashlib
import json
from typing import cast

from schemas.errors import ErrorCode
from schemas.job_types.parameters import JobParameters
from schemas.job_types.transformer import TransformerParameters
from services.worker.errors import ProcessingError
from services.worker.fetch.download import fetch
from services.worker.fetch.readable import MAX_PAGE_BYTES, readable_text
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.templates import Languages, TransformedText, apply_template, load, parse

ENGINE = 1
"""The version of filling and rendering: an increment invalidates cached results."""

FETCH_FAILURES = (ErrorCode.URL_NOT_FOUND, ErrorCode.HTTP_ERROR, ErrorCode.NETWORK_ERROR, ErrorCode.TIMEOUT)


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job. Raises ProcessingError: TEMPLATE_ERROR, URL_FETCH_ERROR, URL_TRANSFORMATION_ERROR,
    BLOCKED_ADDRESS, FILE_TOO_LARGE, JSON_PARSE_ERROR, TEMPLATE_TRANSFORMATION_ERROR and the provider's errors.
    """
    params = cast(TransformerParameters, parameters)
    report("initializing", 0)
    report("loading_template", 20)
    content = params.template_content or load(params.template or "", workspace.limits.templates_dir)[1]
    template = parse(content)
    text = params.text or _page_text(params, workspace, report)
    local = params.provider == "local" if params.provider else not workspace.providers.has_chat
    earlier = workspace.recall(
        params,
        without={"url", "text", "template", "template_content", "container_selector", "provider", "model"},
        text=_sha256(text),
        template=_sha256(content),
        model=None if local else params.model or workspace.providers.chat_model,
        engine=ENGINE,
    )
    if earlier is not None:
        return earlier
    report("transforming_text", 50)
    transformed = apply_template(
        template,
        text,
        params.context,
        Languages(params.source_language, params.target_language),
        workspace.providers,
        descriptions=params.additional_field_descriptions,
        local=params.provider == "local" if params.provider else None,
        model=params.model,
    )
    report("finalizing", 90)
    return _result(transformed, workspace, len(text.encode()))


def _page_text(params: TransformerParameters, workspace: Workspace, report: ReportProgress) -> str:
    report("loading_template", 30, "Fetching the page")
    try:
        page = fetch(params.url or "", workspace, min(MAX_PAGE_BYTES, workspace.limits.max_bytes))
    except ProcessingError as error:
        if error.code not in FETCH_FAILURES:
            raise
        raise ProcessingError(
            ErrorCode.URL_FETCH_ERROR, error.message, error.retryable, error.retry_after_s, error_type=error.code.value
        ) from error
    return readable_text(page, params.container_selector)


def _result(transformed: TransformedText, workspace: Workspace, size: int) -> Result:
    fields = json.dumps(transformed.fields, ensure_ascii=False, indent=2)
    made = {"transformed_text": transformed.text, "template_fields": transformed.fields}
    return Result(
        structured_data=made,
        extra=made,
        assets=(
            workspace.keep("transformed.md", transformed.text.encode(), "text/markdown; charset=utf-8"),
            workspace.keep("template_fields.json", fields.encode(), "application/json"),
        ),
        notes=transformed.notes,
        bytes_in=size,
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
