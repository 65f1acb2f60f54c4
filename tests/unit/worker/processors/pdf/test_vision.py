"""Vision models and templates in a `pdf` job."""

import base64
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.run.workspace import Workspace
from tests.support.runs.keyed_pdf import WITH_PAGES, failed
from tests.support.runs.pdf import pymupdf, run, scanned, typed, workspace
from tests.support.servers.mistral import CHAT, MistralServer, completion


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
    mistral.then(CHAT, completion("NO TEXT"))
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
    mistral.then(CHAT, completion("NO TEXT"))
    result, _ = run(place, document, "llm_and_native", page_end=1)
    assert result.structured_data["extracted_text"].split("\n")[:2] == ["--- Seite 1 ---", "First page"]


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
