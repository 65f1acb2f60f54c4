"""Mistral's OCR in the `pdf` job: call, draw meanwhile, keep the answer (docs/contract/secretary.md#mistral)."""

import json
import mimetypes
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_core import from_json

from piperoll.store.blobs import BlobMissingError
from services.worker.files import archive_writer
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.processors.pdf.texts import PageText, Texts
from services.worker.providers import OcrAnswer, OcrReport
from services.worker.providers.answers import read_ocr
from services.worker.run.workspace import ALL_PAGES, Workspace

RAW = "mistral_ocr_raw.json"
RAW_WITH_IMAGES = "mistral_ocr_raw_with_images.json"
IMAGES_ARCHIVE = "mistral_ocr_images.zip"
HEARTBEAT_S = 1.0  # interval of reports during the wait for the answer
UNSAFE = re.compile(r"[^\w\-.]")  # docs/contract/secretary.md#archives
JSON = "application/json"
MOST_IMAGE_BYTES = 32 * 1024**2  # of an answer in a page checkpoint, which is written in one piece


@dataclass(frozen=True, slots=True)
class _Reply:
    """What a page checkpoint has of an answer: the answer itself, or the uri of its file if that is large.

    The file is deleted with its run when that is released, the answer is not.
    """

    notes: tuple[str, ...]
    uri: str = ""
    raw: dict[str, Any] | None = None


REPLY: Final = TypeAdapter(_Reply)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The kept files of an answer: locations of its images, and file names by kind."""

    images: tuple[str, ...]
    files: dict[str, str]


def ask(
    selected: SelectedPages, workspace: Workspace, progress: PassProgress, drawn: Iterator[int], drawing: PassProgress
) -> OcrAnswer:
    """Call the OCR in a thread and meanwhile iterate `drawn`, the numbers of pages drawn so far.

    The answer is kept with its images. Only the calling thread uses MuPDF and reports. Raises ProcessingError as
    `Providers.ocr`, and BlobStoreError; a failure of the OCR ends the drawing.
    """
    percent = [0]

    def on_progress(done: int, _: str) -> None:
        percent[0] = done

    progress.update(0)
    with ThreadPoolExecutor(1, "mistral-ocr") as threads:
        asking = threads.submit(_answer, selected, workspace, on_progress)
        for done in drawn:
            if asking.done():
                asking.result()
                drawing.update(done / len(selected.pages), done, len(selected.pages))
            else:
                progress.update(percent[0] / 100)
        while not wait([asking], HEARTBEAT_S).done:
            progress.update(percent[0] / 100)
        return asking.result()


def _answer(selected: SelectedPages, workspace: Workspace, on_progress: OcrReport) -> OcrAnswer:
    """Return the answer, and keep it with its images. An earlier attempt may have got it: it is about all pages, and
    was paid for."""
    fresh: list[OcrAnswer] = []

    def call() -> _Reply:
        source = selected.source
        answer = workspace.providers.ocr(Path(source.path), source.name, _indices(selected), on_progress)
        fresh.append(answer)
        uri = _keep_json(RAW_WITH_IMAGES, answer, workspace, True)
        size = sum(len(image.content or b"") for page in answer.pages for image in page.images)
        small = size <= MOST_IMAGE_BYTES
        return _Reply(answer.notes, raw=dict(answer.raw)) if small else _Reply(answer.notes, uri)

    reply = workspace.resume("mistral_ocr", ALL_PAGES, call, REPLY)
    if not fresh and reply is not None:
        try:
            raw = from_json(workspace.blobs.get(reply.uri)) if reply.raw is None else reply.raw
        except BlobMissingError:  # deleted with the outputs of its run
            call()
        else:
            answer = read_ocr(raw, reply.notes)
            _keep_json(RAW_WITH_IMAGES, answer, workspace, True)
            return answer
    return fresh[0]


def texts_of(answer: OcrAnswer, selected: SelectedPages) -> tuple[Texts, list[str]]:
    """Return the pages' Markdown, and warnings: missing pages and the answer's notes."""
    texts = Texts("mistral_ocr")
    markdown = {page.index + 1: page.markdown for page in answer.pages}
    for number in selected.pages:
        text = markdown.get(number)
        texts.add(number, None if text is None else PageText(number, text.replace("\0", "\ufffd"), "mistral_ocr"))
    warnings = [f"The OCR provider's answer lacks {named(texts.broken)}."] if texts.broken else []
    return texts, [*warnings, *answer.notes]


def about(answer: OcrAnswer) -> dict[str, Any]:
    """Return the answer's metadata for the completed webhook (docs/contract/secretary.md#webhooks)."""
    return {"model": answer.model, "pages_count": len(answer.pages), "usage_info": dict(answer.usage_info)}


def keep(answer: OcrAnswer, workspace: Workspace) -> KeptAnswer:
    """Keep the raw answer without images, each image, and an archive of all images."""
    _keep_json(RAW, answer, workspace, False)
    files = {"mistral_ocr_raw": RAW, "mistral_ocr_raw_with_images": RAW_WITH_IMAGES}
    named_images = _named_images(answer)
    images = tuple(
        workspace.keep(f"ocr_images/{name}", content, mimetypes.guess_type(name)[0] or "image/jpeg")
        for name, content in named_images.items()
    )
    if images:
        path = workspace.folder / IMAGES_ARCHIVE
        with archive_writer.writing(path) as archive:
            for name, content in named_images.items():
                archive.add(name, content)
        workspace.keep_file(IMAGES_ARCHIVE, path, "application/zip")
        files["mistral_ocr_images"] = IMAGES_ARCHIVE
    return KeptAnswer(images, files)


def _indices(selected: SelectedPages) -> list[int] | None:
    """Return the page indices from 0; None for all pages."""
    if len(selected.pages) == selected.document.page_count:
        return None
    return [number - 1 for number in selected.pages]


def _keep_json(name: str, answer: OcrAnswer, workspace: Workspace, include_images: bool) -> str:
    """Keep the raw JSON, written in pieces: with images it may have a hundred MiB. Return its uri."""
    path = workspace.folder / name
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.JSONEncoder().iterencode(answer.document(include_images)))
    return workspace.keep_file_claim(name, path, JSON).uri


def _named_images(answer: OcrAnswer) -> dict[str, bytes]:
    """Return the images by safe and unique file names, in the order of the document."""
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
