"""A second attempt at a `pdf` job takes from the first one what it had finished."""

import json
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from piperoll.store.page_paths import folder_of
from services.worker.pages import mupdf
from services.worker.processors.pdf import mistral as pdf_mistral
from services.worker.run.resuming import PageCheckpoints
from services.worker.run.workspace import Workspace
from tests.support.runs.keyed_pdf import WITH_PAGES
from tests.support.runs.pdf import kept, run
from tests.support.servers.mistral import CHAT, OCR, MistralServer

IMAGES = {"include_images": True}


def attempt(place: Workspace, number: int) -> Workspace:
    """The workspace of an attempt in which every step of a page takes longer than the pace of checkpoints."""
    pages = PageCheckpoints(place.blobs, place.job_id, f"run-{number}", number > 1, count(0, 2).__next__)
    pages.open("0" * 64)
    return replace(place, run=f"run-{number}", resume=pages.resume)


def outcome(place: Workspace, document: Path, method: str, **asked: Any) -> tuple[Any, list[str]]:
    result, _ = run(place, document, method, **asked)
    text = repr(result.body("target")).replace(place.run, "RUN")
    return text, sorted(name.replace(place.run, "RUN") for name in kept(place))


def forbid_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(mupdf, "page_jpeg", draw)


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("llm", CHAT, {}),
        ("mistral_ocr", OCR, IMAGES),
        ("native", CHAT, {"template": "Besprechung"}),
        ("preview_and_native", CHAT, IMAGES),
    ],
)
def test_the_second_attempt_asks_and_draws_nothing_again_and_has_the_same_result(
    place: Workspace, mistral: MistralServer, document: Path, monkeypatch: pytest.MonkeyPatch, method, path, asked
) -> None:
    first = outcome(attempt(place, 1), document, method, **asked)
    before = len(mistral.requests(path))
    forbid_drawing(monkeypatch)
    assert outcome(attempt(place, 2), document, method, **asked) == first
    assert len(mistral.requests(path)) == before


def test_the_archive_of_pages_is_drawn_again_beside_the_earlier_answer(
    place: Workspace, mistral: MistralServer, document: Path
) -> None:
    asked = {"include_preview_pages": True, "include_high_res_pages": True}
    first = outcome(attempt(place, 1), document, WITH_PAGES, **asked)
    before = len(mistral.requests(OCR))
    assert outcome(attempt(place, 2), document, WITH_PAGES, **asked) == first
    assert len(mistral.requests(OCR)) == before


def test_an_image_that_was_deleted_with_its_attempt_is_drawn_again(place: Workspace, document: Path) -> None:
    first = outcome(attempt(place, 1), document, "native", **IMAGES)
    assert place.blobs.root is not None
    shutil.rmtree(place.blobs.root / place.job_id / "run-1")
    assert outcome(attempt(place, 2), document, "native", **IMAGES) == first


def test_a_large_answer_leaves_a_small_checkpoint(
    place: Workspace, mistral: MistralServer, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_mistral, "MOST_IMAGE_BYTES", -1)
    outcome(attempt(place, 1), document, "mistral_ocr")
    (name,) = place.blobs.list(folder_of(place.job_id))
    assert len(place.blobs.get(name)) < 200


@pytest.mark.parametrize(("most", "asked_again"), [(pdf_mistral.MOST_IMAGE_BYTES, 0), (-1, 1)])
def test_only_a_large_answer_is_asked_for_again_after_the_outputs_of_its_attempt_were_deleted(
    place: Workspace,
    mistral: MistralServer,
    document: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    asked_again: int,
) -> None:
    monkeypatch.setattr(pdf_mistral, "MOST_IMAGE_BYTES", most)
    first = outcome(attempt(place, 1), document, "mistral_ocr")
    before = len(mistral.requests(OCR))
    assert place.blobs.root is not None
    shutil.rmtree(place.blobs.root / place.job_id / "run-1")
    assert outcome(attempt(place, 2), document, "mistral_ocr") == first
    assert len(mistral.requests(OCR)) == before + asked_again


def test_a_checkpoint_which_has_the_answer_itself_is_used(
    place: Workspace, mistral: MistralServer, document: Path
) -> None:
    first = outcome(attempt(place, 1), document, "mistral_ocr")
    before = len(mistral.requests(OCR))
    (name,) = place.blobs.list(folder_of(place.job_id))
    raw = json.loads(place.blobs.get(f"{place.job_id}/run-1/{pdf_mistral.RAW_WITH_IMAGES}"))
    place.blobs.replace(name, json.dumps({"mistral_ocr/0": {"raw": raw, "notes": []}}).encode())
    assert outcome(attempt(place, 2), document, "mistral_ocr") == first
    assert len(mistral.requests(OCR)) == before
