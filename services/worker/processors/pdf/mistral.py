"""The `pdf` job's dealings with Mistral's OCR (contract 12): asks, waits while pages are drawn, keeps the answer."""

import json
import mimetypes
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.files import zip_writer
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.selected_pages import Paper, Pass
from services.worker.processors.pdf.texts import PageText, Texts
from services.worker.providers import OcrAnswer
from services.worker.run.workspace import Workspace

RAW = "mistral_ocr_raw.json"
RAW_WITH_IMAGES = "mistral_ocr_raw_with_images.json"
IMAGES_ARCHIVE = "mistral_ocr_images.zip"
HEARTBEAT_S = 1.0  # how often the wait for the answer is reported
UNSAFE = re.compile(r"[^\w\-.]")  # contract 11
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was kept of an answer: locations of its images, and names of files by what they are."""

    images: tuple[str, ...]
    files: dict[str, str]


def ask(paper: Paper, workspace: Workspace, going: Pass, beside: Iterator[int], drawing: Pass) -> OcrAnswer:
    """Has the pages read, and meanwhile does what `beside` does, which yields how many pages it has done.

    MuPDF stays in this thread, and only this one reports. Raises ProcessingError as `Providers.ocr`; a failure that
    comes while pages are drawn ends the drawing.
    """
    percent = [0]

    def heard(done: int, _: str) -> None:
        percent[0] = done

    going.tell(0)
    with ThreadPoolExecutor(1, "mistral-ocr") as threads:
        asking = threads.submit(
            workspace.providers.ocr, Path(paper.source.path), paper.source.name, _indices(paper), heard
        )
        for done in beside:
            if asking.done():
                asking.result()
                drawing.tell(done / len(paper.pages), done, len(paper.pages))
            else:
                going.tell(percent[0] / 100)
        while not wait([asking], HEARTBEAT_S).done:
            going.tell(percent[0] / 100)
        return asking.result()


def texts_of(answer: OcrAnswer, paper: Paper) -> tuple[Texts, list[str]]:
    """The pages' Markdown, and warnings: pages that the answer lacks, what it says of itself."""
    texts = Texts("mistral_ocr")
    markdown = {page.index + 1: page.markdown for page in answer.pages}
    for number in paper.pages:
        text = markdown.get(number)
        texts.note(number, None if text is None else PageText(number, text.replace("\0", "\ufffd"), "mistral_ocr"))
    warnings = [f"The OCR provider's answer lacks {named(texts.broken)}."] if texts.broken else []
    return texts, [*warnings, *answer.notes]


def about(answer: OcrAnswer) -> dict[str, Any]:
    """What the completed hook tells of the answer (contract 7)."""
    return {"model": answer.model, "pages_count": len(answer.pages), "usage_info": dict(answer.usage_info)}


def keep(answer: OcrAnswer, workspace: Workspace) -> KeptAnswer:
    """Keeps the raw answer with and without its images, each image, and all of them as an archive."""
    files = {
        "mistral_ocr_raw": _keep_json(RAW, answer, workspace, False),
        "mistral_ocr_raw_with_images": _keep_json(RAW_WITH_IMAGES, answer, workspace, True),
    }
    named_images = _named_images(answer)
    images = tuple(
        workspace.keep(f"ocr_images/{name}", content, mimetypes.guess_type(name)[0] or "image/jpeg")
        for name, content in named_images.items()
    )
    if images:
        path = workspace.folder / IMAGES_ARCHIVE
        with zip_writer.writing(path) as archive:
            for name, content in named_images.items():
                archive.add(name, content)
        workspace.keep_file(IMAGES_ARCHIVE, path, "application/zip")
        files["mistral_ocr_images"] = IMAGES_ARCHIVE
    return KeptAnswer(images, files)


def _indices(paper: Paper) -> list[int] | None:
    """The pages as Mistral counts them, from 0; None for all."""
    if len(paper.pages) == paper.document.page_count:
        return None
    return [number - 1 for number in paper.pages]


def _keep_json(name: str, answer: OcrAnswer, workspace: Workspace, include_images: bool) -> str:
    """Written in pieces: with its images a document may have a hundred MiB."""
    path = workspace.folder / name
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.JSONEncoder().iterencode(answer.document(include_images)))
    workspace.keep_file(name, path, JSON)
    return name


def _named_images(answer: OcrAnswer) -> dict[str, bytes]:
    """Images by a safe and unique file name, in the order of the document."""
    found: dict[str, bytes] = {}
    for page in answer.pages:
        for image in page.images:
            if image.content is not None:
                found[_free_name(image.id, found)] = image.content
    return found


def _free_name(image_id: str, taken: dict[str, bytes]) -> str:
    safe = UNSAFE.sub("_", image_id)[:200].lstrip(".") or "image"
    stem, dot, ending = safe.rpartition(".")
    candidates = (f"{stem or ending}_{count}{dot if stem else ''}{ending if stem else ''}" for count in range(2, 10**6))
    return safe if safe not in taken else next(name for name in candidates if name not in taken)
