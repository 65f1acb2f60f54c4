"""Failures of the provider of a `pdf` job."""

from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ErrorCode
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.processors.pdf import processor as pdf
from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Workspace
from tests.support.runs.keyed_pdf import WITH_PAGES, failed
from tests.support.runs.pdf import Reports, workspace
from tests.support.servers.mistral import CHAT, FILES, KEY, OCR, MistralServer, malformed, refused, slow
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("method", ["mistral_ocr", WITH_PAGES, "preview_and_mistral_ocr", "llm", "openai_vision"])
def test_without_a_key_the_job_fails_at_once_with_an_instruction(tmp_path: Path, method: str) -> None:
    place = workspace(tmp_path)
    missing = tmp_path / "in" / "never-looked-at.pdf"
    reports = Reports()
    with pytest.raises(ProcessingError) as caught:
        pdf.process(PdfParameters(filename=str(missing), extraction_method=method), place, reports)
    assert (caught.value.code, caught.value.retryable) == (ErrorCode.OCR_PROVIDER_UNAVAILABLE, False)
    assert "MISTRAL_API_KEY" in caught.value.message
    assert reports.steps == ["initializing"]


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (refused(401), ErrorCode.OCR_PROVIDER_UNAVAILABLE, False),
        (refused(429, Retry_After="7"), ErrorCode.RATE_LIMITED, True),
        (refused(500), ErrorCode.PROVIDER_ERROR, True),
        (malformed(), ErrorCode.PROCESSING_ERROR, False),
    ],
    ids=["401", "429", "500", "malformed"],
)
@pytest.mark.parametrize(("method", "path"), [("mistral_ocr", OCR), ("llm", CHAT)])
def test_what_the_provider_does_wrong_ends_the_run_with_its_code(
    place: Workspace, document: Path, mistral: MistralServer, reply: Any, code: ErrorCode, retryable: bool,
    method: str, path: str,
) -> None:  # fmt: skip
    mistral.then(path, reply)
    error = failed(place, document, method, page_end=1)
    assert (error.code, error.retryable) == (code, retryable)
    assert error.retry_after_s == (7 if code is ErrorCode.RATE_LIMITED else None)
    assert mistral.files == {}


@pytest.mark.parametrize(("method", "path"), [("mistral_ocr", OCR), ("llm", CHAT)])
def test_a_provider_that_does_not_answer_in_time_ends_the_run(
    tmp_path: Path, document: Path, mistral: MistralServer, method: str, path: str
) -> None:
    mistral.then(path, slow(10 * PATIENCE_S))
    impatient = Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url, timeout_s=0.5))
    error = failed(workspace(tmp_path, impatient), document, method, page_end=1)
    assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)
    assert "0.5 s" in error.message
    assert mistral.files == {}


def test_a_broken_document_is_not_sent_anywhere(place: Workspace, mistral: MistralServer, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.pdf"
    path.write_bytes(b"<html>no PDF</html>")
    assert failed(place, path, "mistral_ocr").code is ErrorCode.INVALID_PDF
    assert mistral.requests(FILES) == []
