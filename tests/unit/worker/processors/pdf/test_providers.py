"""The methods of a `pdf` job that need a provider: the real SDK against a server that speaks Mistral's wire format."""

import base64
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ErrorCode
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.processors.pdf import processor as pdf
from services.worker.providers import Providers, ProviderSetup
from services.worker.run.workspace import Workspace
from tests.support.runs.pdf import Reports, content, kept, pymupdf, run, scanned, typed, workspace
from tests.support.servers.mistral import CHAT, FILES, KEY, OCR, MistralServer, malformed, refused, says, slow
from tests.support.servers.web_server import json_reply
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S

TEXTS = ["First page", "Second page", "Third page", "Fourth page"]
WITH_PAGES = "mistral_ocr_with_pages"


@pytest.fixture
def place(tmp_path: Path, mistral: MistralServer) -> Workspace:
    return workspace(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url, timeout_s=PATIENCE_S)))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return typed(tmp_path / "in" / "a.pdf", TEXTS)


def names_in(archive: bytes) -> list[str]:
    with zipfile.ZipFile(BytesIO(archive)) as file:
        return file.namelist()


def failed(place: Workspace, path: Path, method: str, **parameters: Any) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        run(place, path, method, **parameters)
    return caught.value


# --- Mistral's OCR --------------------------------------------------------------------------------------------


def test_mistral_ocr_gives_markdown_by_page_and_keeps_the_raw_answer(place: Workspace, document: Path) -> None:
    result, reports = run(place, document, "mistral_ocr")
    data = result.structured_data
    pages = [f"# Page {n}\n\n{text}\n\n![img-{n - 1}.jpeg](img-{n - 1}.jpeg)" for n, text in enumerate(TEXTS, 1)]
    assert data["extracted_text"] == "\n\n".join(f"--- Seite {n} ---\n{text}" for n, text in enumerate(pages, 1))
    assert [(e["page"], e["method"], e["text"]) for e in data["metadata"]["text_contents"]] == [
        (n, "mistral_ocr", text) for n, text in enumerate(pages, 1)
    ]
    about = data["mistral_ocr_raw_metadata"]
    assert (about["model"], about["pages_count"]) == ("mistral-ocr-latest", 4)
    assert about["usage_info"]["pages_processed"] == 4
    assert result.files == {
        "mistral_ocr_raw": "mistral_ocr_raw.json",
        "mistral_ocr_raw_with_images": "mistral_ocr_raw_with_images.json",
        "mistral_ocr_images": "mistral_ocr_images.zip",
    }
    assert kept(place) == sorted([*result.files.values(), *(f"ocr_images/img-{n}.jpeg" for n in range(4))])
    assert names_in(content(place, "mistral_ocr_images.zip")) == [f"img-{n}.jpeg" for n in range(4)]
    assert reports.steps == ["initializing", "reading_file", "extracting_text", "finalizing"]
    assert reports.percents == sorted(reports.percents)


def test_the_raw_answer_has_no_pictures_and_the_other_one_has(place: Workspace, document: Path) -> None:
    run(place, document, "mistral_ocr")
    raw = content(place, "mistral_ocr_raw.json")
    whole = json.loads(content(place, "mistral_ocr_raw_with_images.json"))
    assert b"base64" not in raw
    assert list(json.loads(raw)["pages"][0]["images"][0]) == [
        *("id", "top_left_x", "top_left_y", "bottom_right_x", "bottom_right_y"),
    ]
    encoded = whole["pages"][1]["images"][0]["image_base64"]
    assert base64.b64decode(encoded.partition(",")[2]) == content(place, "ocr_images/img-1.jpeg")


def test_a_range_goes_to_mistral_counted_from_zero(place: Workspace, document: Path, mistral: MistralServer) -> None:
    result, _ = run(place, document, "mistral_ocr", page_start=2, page_end=3)
    assert [request.json.get("pages") for request in mistral.requests(OCR)] == [[1, 2]]
    assert [entry["page"] for entry in result.structured_data["metadata"]["text_contents"]] == [2, 3]
    assert (result.pages, mistral.files) == (2, {})


def test_a_page_that_the_answer_lacks_is_named(place: Workspace, document: Path, mistral: MistralServer) -> None:
    page = {"index": 0, "markdown": "One", "images": [], "dimensions": {"dpi": 200, "height": 1, "width": 1}}
    answer = {"pages": [page], "model": "m", "usage_info": {"pages_processed": 1, "doc_size_bytes": 1}}
    mistral.then(OCR, json_reply(answer))
    result, _ = run(place, document, "mistral_ocr")
    assert "The OCR provider's answer lacks pages 2, 3, 4." in result.notes
    assert "mistral_ocr_images" not in result.files
    assert result.structured_data["extracted_text"].startswith("--- Seite 1 ---\nOne")


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["img-0.jpeg", "img 1 (ü).png"], ["img-0.jpeg", "img_1__ü_.png"]),
        (["../../a.jpeg", "/etc/passwd", "..", ""], ["_.._a.jpeg", "_etc_passwd", "image", "image_2"]),
        (["a.jpeg", "a.jpeg", "a.jpeg"], ["a.jpeg", "a_2.jpeg", "a_3.jpeg"]),
    ],
)
def test_images_get_safe_names(
    place: Workspace, document: Path, mistral: MistralServer, ids: list[str], names: list[str]
) -> None:
    box = {"top_left_x": 0, "top_left_y": 0, "bottom_right_x": 1, "bottom_right_y": 1}
    images = [{"id": name, **box, "image_base64": base64.b64encode(b"x").decode()} for name in ids]
    page = {"index": 0, "markdown": "", "images": images, "dimensions": {"dpi": 200, "height": 1, "width": 1}}
    usage = {"pages_processed": 1, "doc_size_bytes": 1}
    mistral.then(OCR, json_reply({"pages": [page], "model": "m", "usage_info": usage}))
    run(place, document, "mistral_ocr")
    assert names_in(content(place, "mistral_ocr_images.zip")) == names
    assert {f"ocr_images/{name}" for name in names} <= set(kept(place))


def test_previews_come_with_mistral_s_texts(place: Workspace, document: Path) -> None:
    result, reports = run(place, document, "preview_and_mistral_ocr", page_end=1)
    assert {"previews/preview_001.jpg", "previews.zip", "texts/page_001.txt"} <= set(kept(place))
    assert content(place, "texts/page_001.txt").startswith(b"# Page 1")
    assert [Path(asset).name for asset in result.assets] == ["preview_001.jpg", "img-0.jpeg"]
    assert reports.steps == ["initializing", "reading_file", "extracting_text", "processing_images", "finalizing"]


# --- with pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({}, ["preview_002.jpg", "preview_003.jpg"]),
        ({"include_preview_pages": False, "include_high_res_pages": True}, ["page_002.jpeg", "page_003.jpeg"]),
        (
            {"include_high_res_pages": True},
            ["preview_002.jpg", "page_002.jpeg", "preview_003.jpg", "page_003.jpeg"],
        ),
    ],
)
def test_pages_are_drawn_beside_the_ocr(
    place: Workspace, document: Path, flags: dict[str, bool], names: list[str]
) -> None:
    result, reports = run(place, document, WITH_PAGES, page_start=2, page_end=3, **flags)
    assert names_in(content(place, "pages.zip")) == names
    assert result.files["pages_archive"] == "pages.zip"
    assert result.structured_data["pages_archive_filename"] == "pages.zip"
    assert not any(name.startswith(("previews", "images")) for name in kept(place))
    assert reports.percents == sorted(reports.percents)


def test_a_high_resolution_page_has_200_dots_an_inch(place: Workspace, document: Path) -> None:
    run(place, document, WITH_PAGES, page_end=1, include_preview_pages=False, include_high_res_pages=True)
    with zipfile.ZipFile(BytesIO(content(place, "pages.zip"))) as file:
        image = pymupdf.Pixmap(file.read("page_001.jpeg"))
    assert (image.width, image.height) == pytest.approx((320 * 200 / 72, 160 * 200 / 72), abs=1)


def test_both_flags_false_make_no_archive(place: Workspace, document: Path) -> None:
    result, _ = run(place, document, WITH_PAGES, include_preview_pages=False)
    assert "pages_archive" not in result.files
    assert "pages.zip" not in kept(place)
    assert result.notes == ()


def test_pages_that_cannot_be_drawn_are_a_warning_and_no_failure(
    place: Workspace, mistral: MistralServer, tmp_path: Path
) -> None:
    path = typed(tmp_path / "in" / "b.pdf", ["x"], size=(14_000, 14_000))
    result, _ = run(place, path, WITH_PAGES, include_preview_pages=False, include_high_res_pages=True)
    assert result.notes == ("pages.zip lacks page 1 in high resolution: too large at 200 DPI.",)
    assert "pages_archive" not in result.files
    assert result.structured_data["extracted_text"]


def test_a_failure_of_the_ocr_fails_the_job_though_pages_were_drawn(
    place: Workspace, document: Path, mistral: MistralServer
) -> None:
    mistral.then(OCR, refused(500))
    error = failed(place, document, WITH_PAGES)
    assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)
    assert "mistral_ocr_raw.json" not in kept(place)


# --- failures -------------------------------------------------------------------------------------------------


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


# --- vision ---------------------------------------------------------------------------------------------------


def test_a_vision_model_is_shown_each_page(place: Workspace, document: Path, mistral: MistralServer) -> None:
    result, reports = run(place, document, "openai_vision", page_end=2)
    assert result.structured_data["extracted_text"] == "\n".join(
        f"--- Seite {n} ---\nText seen in 1 image" for n in (1, 2)
    )
    assert {entry["method"] for entry in result.structured_data["metadata"]["text_contents"]} == {"llm"}
    shown = [request.json["messages"][-1]["content"][1] for request in mistral.requests(CHAT)]
    images = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in shown]
    assert [max(pymupdf.Pixmap(image).width, pymupdf.Pixmap(image).height) for image in images] == [1540, 1540]
    assert [percent for step, percent, *_ in reports if step == "extracting_text"] == [30, 45]


def test_a_page_without_text_stays_without(place: Workspace, document: Path, mistral: MistralServer) -> None:
    mistral.then(CHAT, says("NO TEXT"))
    result, _ = run(place, document, "llm", page_end=1)
    assert result.structured_data["metadata"]["text_contents"][0]["text"] == ""


@pytest.mark.parametrize(("method", "second"), [("llm_and_native", "native"), ("llm_and_ocr", "ocr")])
def test_a_vision_model_and_another_way_are_both_kept(
    place: Workspace, mistral: MistralServer, tmp_path: Path, method: str, second: str
) -> None:
    path = (typed if second == "native" else scanned)(tmp_path / "in" / "b.pdf", ["Same words"])
    result, _ = run(place, path, method)
    entries = result.structured_data["metadata"]["text_contents"]
    found = {entry["method"]: entry["text"].strip() for entry in entries}
    assert found == {"llm": "Text seen in 1 image", second: "Same words"}
    assert "Text seen" in result.structured_data["extracted_text"]


def test_where_the_vision_model_sees_nothing_the_other_text_stands(
    place: Workspace, document: Path, mistral: MistralServer
) -> None:
    mistral.then(CHAT, says("NO TEXT"))
    result, _ = run(place, document, "llm_and_native", page_end=1)
    assert result.structured_data["extracted_text"].split("\n")[:2] == ["--- Seite 1 ---", "First page"]


# --- templates and urls ---------------------------------------------------------------------------------------


def test_a_template_is_filled_and_the_text_stays(place: Workspace, document: Path, mistral: MistralServer) -> None:
    mistral.fields = {"summary": "Four pages."}
    result, reports = run(place, document, "native", template="MeetingMinutes", context={"event": "Tagung"})
    data = result.structured_data
    assert data["extracted_text"].startswith("--- Seite 1 ---\nFirst page")
    assert data["template_fields"]["summary"] == "Four pages."
    assert "Four pages." in data["transformed_text"]
    assert ("applying_template", 80) in [(step, percent) for step, percent, *_ in reports]
    assert "First page" in mistral.requests(CHAT)[0].json["messages"][-1]["content"]


def test_a_template_works_without_a_provider_and_this_is_noted(tmp_path: Path, document: Path) -> None:
    result, _ = run(workspace(tmp_path), document, "native", template="MeetingMinutes")
    assert set(result.structured_data["template_fields"]) >= {"summary", "participants", "action_items"}
    assert any("local rules" in note for note in result.notes)


def test_an_unknown_template_fails_before_anything_is_read(tmp_path: Path, document: Path) -> None:
    error = failed(workspace(tmp_path), document, "native", template="NoSuchTemplate")
    assert error.code is ErrorCode.TEMPLATE_ERROR
    assert "MeetingMinutes" in error.message


@pytest.mark.parametrize("method", [WITH_PAGES, "preview"])
def test_a_method_that_takes_no_template_leaves_a_note(place: Workspace, document: Path, method: str) -> None:
    result, _ = run(place, document, method, template="MeetingMinutes")
    assert f"The template was not applied: {method} supports none." in result.notes
    assert "transformed_text" not in result.structured_data


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
