"""A `pdf` job on a URL, and the key of its cache."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ErrorCode
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.processors.pdf import processor as pdf
from services.worker.run.workspace import Workspace
from tests.support.runs.pdf import Reports, run, workspace
from tests.support.servers.mistral import MistralServer
from tests.support.servers.website import Website


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    with Website() as running:
        yield running


def from_url(tmp_path: Path, url: str, **limits: Any) -> Any:
    from ipaddress import ip_network

    place = workspace(tmp_path, networks=(ip_network("127.0.0.0/8"),), **limits)
    return pdf.process(PdfParameters(url=url), place, Reports())


def test_a_url_is_downloaded_and_read(tmp_path: Path, document: Path, website: Website) -> None:
    url = website.file("/papers/annual%20report.pdf", document.read_bytes(), "application/pdf")
    result = from_url(tmp_path, url)
    metadata = result.structured_data["metadata"]
    assert "First page" in result.structured_data["extracted_text"]
    assert (metadata["file_name"], metadata["file_size"]) == ("annual report.pdf", document.stat().st_size)


def test_a_page_in_a_pdf_s_place_is_named_as_that(tmp_path: Path, website: Website) -> None:
    with pytest.raises(ProcessingError) as caught:
        from_url(tmp_path, website.page("/a.pdf", "Not here", "Gone"))
    assert caught.value.code is ErrorCode.INVALID_PDF
    assert "text/html" in caught.value.message


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda site: site.url("/missing.pdf"), ErrorCode.URL_NOT_FOUND),
        (lambda site: site.status("/a.pdf", 500), ErrorCode.HTTP_ERROR),
        (lambda site: site.file("/a.pdf", b"x" * 5000, "application/pdf"), ErrorCode.FILE_TOO_LARGE),
        (lambda site: site.redirect("/a.pdf", "http://10.0.0.1/a.pdf"), ErrorCode.BLOCKED_ADDRESS),
    ],
    ids=["404", "500", "too large", "to a private address"],
)
def test_a_url_that_gives_no_document_fails_with_its_reason(
    tmp_path: Path, website: Website, make: Any, code: ErrorCode
) -> None:
    with pytest.raises(ProcessingError) as caught:
        from_url(tmp_path, make(website), max_bytes=4000)
    assert caught.value.code is code


def test_the_cache_is_asked_with_everything_that_shapes_the_result(
    place: Workspace, document: Path, mistral: MistralServer
) -> None:
    asked: list[dict[str, Any]] = []

    def recall(parameters: Any, *, without: Any = (), **shaped_by: Any) -> None:
        asked.append({"without": set(without), **shaped_by})

    for method, template in (("native", None), ("both", None), ("mistral_ocr", None), ("llm", "MeetingMinutes")):
        run(replace(place, recall=recall), document, method, page_end=1, template=template)
    keys = ("content", "engine", "ocr", "ocr_model", "vision_model")
    assert {key: [key in one for one in asked] for key in keys} == {
        "content": [True] * 4,
        "engine": [True] * 4,
        "ocr": [False, True, False, False],
        "ocr_model": [False, False, True, False],
        "vision_model": [False, False, False, True],
    }
    assert asked[0]["without"] == {"filename", "url", "file_hash"}
    assert "{{" in asked[3]["template_text"]
