"""OCR by Mistral in a `pdf` job: the real SDK against a local server of the wire format."""

import base64
import json
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.run.workspace import Workspace
from tests.support.runs.keyed_pdf import TEXTS, WITH_PAGES, failed
from tests.support.runs.pdf import content, kept, pymupdf, run, typed
from tests.support.servers.mistral import OCR, MistralServer, refused
from tests.support.servers.web_server import json_reply


def names_in(archive: bytes) -> list[str]:
    with zipfile.ZipFile(BytesIO(archive)) as file:
        return file.namelist()


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
