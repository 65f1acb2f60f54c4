"""The completed hook of each job type: the seed's keys in the seed's order, and no key without a value."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.notifier.hooks.bodies import completed_body
from tests.support.histories.hooks import claimed

CONTENTS = [{"page": 1, "content": "Text", "text": "Text", "method": "mistral_ocr"}]
METADATA = {"file_name": "a.pdf", "extraction_method": "native", "image_paths": [], "text_contents": CONTENTS}
RAW = {"model": "mistral-ocr-latest", "pages_count": 235, "usage_info": {"pages_processed": 235}}


def hook(result: dict[str, Any] | None, job_type: str = "pdf", public_url: str = "") -> dict[str, Any]:
    row = claimed(final="completed")
    row = replace(row, job=replace(row.job, job_type=job_type))
    content = None if result is None else json.dumps(result).encode()
    return dict(json.loads(completed_body(row, content, public_url)))


def pdf(method: str, files: dict[str, str], images: bool = False, **more: Any) -> dict[str, Any]:
    metadata = METADATA | {"extraction_method": method, "image_paths": ["/a/images/page_001.jpg"] if images else []}
    data = {"extracted_text": "Text", "metadata": metadata, "mistral_ocr_raw_metadata": RAW, **more}
    if "mistral" not in method:
        del data["mistral_ocr_raw_metadata"]
    return {"structured_data": data, "assets": [], "target_dir": "/a", "files": files}


def test_the_hook_of_a_pdf_has_its_text_and_all_its_metadata() -> None:
    body = hook(pdf("native", {}))
    assert list(body)[:3] == ["phase", "message", "data"]
    assert (body["phase"], body["message"]) == ("completed", "Processing completed")
    assert body["data"] == {"extracted_text": "Text", "metadata": METADATA}


def test_the_hook_of_mistral_with_pages_is_exactly_that_of_the_seed() -> None:
    files = {"mistral_ocr_raw": "mistral_ocr_raw.json", "pages_archive": "pages.zip"}
    body = hook(pdf("mistral_ocr_with_pages", files, images=True))
    assert body["message"] == "Extraktion abgeschlossen"
    assert list(body["data"].items()) == [
        ("extracted_text", "Text"),
        ("metadata", {"text_contents": CONTENTS}),
        ("mistral_ocr_raw_url", "/api/pdf/jobs/job-1/mistral-ocr-raw"),
        ("mistral_ocr_raw_metadata", RAW),
        ("pages_archive_url", "/api/pdf/jobs/job-1/download-pages-archive"),
    ]


@pytest.mark.parametrize(
    ("method", "files", "images", "links"),
    [
        ("mistral_ocr_with_pages", {"mistral_ocr_raw": "r"}, False, {"mistral_ocr_raw_url"}),
        (
            "mistral_ocr_with_pages",
            {"mistral_ocr_raw": "r", "pages_archive": "p", "mistral_ocr_images": "i"},
            True,
            {"mistral_ocr_raw_url", "pages_archive_url", "mistral_ocr_images_url"},
        ),
        ("mistral_ocr", {"mistral_ocr_raw": "r"}, True, {"mistral_ocr_raw_url", "images_archive_url"}),
        ("combined", {}, True, {"images_archive_url"}),
        ("native", {}, False, set()),
    ],
)
def test_a_link_is_given_for_what_there_is_and_left_out_for_what_there_is_not(
    method: str, files: dict[str, str], images: bool, links: set[str]
) -> None:
    data = hook(pdf(method, files, images))["data"]
    assert {name for name in data if name.endswith("_url")} == links
    assert all(value is not None for value in data.values())


def test_links_are_relative_unless_a_public_address_is_configured() -> None:
    result = pdf("mistral_ocr", {"mistral_ocr_raw": "r"}, images=True)
    data = hook(result, public_url="https://jobs.example.com/")["data"]
    assert data["mistral_ocr_raw_url"] == "https://jobs.example.com/api/pdf/jobs/job-1/mistral-ocr-raw"
    assert data["images_archive_url"] == "https://jobs.example.com/api/jobs/job-1/download-archive"


@pytest.mark.parametrize("method", ["native", "mistral_ocr"])
def test_a_filled_template_is_in_the_hook_too(method: str) -> None:
    filled = {"transformed_text": "# Minutes", "template_fields": {"summary": "s"}}
    files = {"mistral_ocr_raw": "r"} if method == "mistral_ocr" else {}
    assert hook(pdf(method, files, **filled))["data"].items() >= filled.items()


def test_the_hook_of_a_transformer_has_its_text_and_fields() -> None:
    data = {"transformed_text": "T", "template_fields": {"summary": "s"}}
    for job_type in ("transformer", "transformer_template"):
        body = hook({"structured_data": data, **data}, job_type)
        assert (body["message"], body["data"]) == ("Template-Transformation abgeschlossen", data)


def test_the_hook_of_a_session_has_its_file_and_attachments() -> None:
    data = {
        "markdown_file": "sessions/a.md",
        "markdown_content": "# A",
        "attachments": [],
        "video_transcript": "",
        "target_dir": "/a",
    }
    body = hook({**data, "structured_data": {"summary": "s"}, "assets": []}, "session")
    assert (body["message"], body["data"]) == ("Session processing completed", data)


@pytest.mark.parametrize("job_type", ["pdf", "transformer", "session", "noop"])
def test_the_hook_of_an_erased_result_has_no_data(job_type: str) -> None:
    body = hook(None, job_type)
    assert (body["phase"], body["data"]) == ("completed", None)
