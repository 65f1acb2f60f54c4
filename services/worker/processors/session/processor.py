"""The `session` job (contract 13): a talk's page, video and slides become one Markdown file and an archive.

What each part does is in the modules beside this one; here stands their order, and what becomes of a part that fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from zipfile import LargeZipFile

from piperoll.store.blobs import BlobStoreError
from schemas.job_types.parameters import JobParameters
from schemas.job_types.session import SessionParameters
from services.worker import templates
from services.worker.errors import ProcessingError
from services.worker.processors.session import archive as session_archive
from services.worker.processors.session import attachment as session_attachment
from services.worker.processors.session.inputs import Inputs, gather
from services.worker.processors.session.layout import (
    Layout,
    attachment_stem,
    preview_name,
    safe_name,
    stem,
)
from services.worker.processors.session.markdown import template_names
from services.worker.processors.session.names import Translator
from services.worker.processors.session.video import one_line, transcribe
from services.worker.processors.session.writing import Chosen, Material, Written, write
from services.worker.providers import Providers
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.speech.speech_to_text import ear_for

VERSION = 2
"""Raised when the same input gives another result: cached ones are then not used."""


@dataclass(slots=True)
class RunNotes:
    """What the job's log is to say; whether a part is missing that another attempt may bring."""

    notes: list[str] = field(default_factory=list)
    complete: bool = True

    def say(self, *sentences: str) -> None:
        """Takes notes."""
        self.notes += sentences

    def miss(self, sentence: str) -> None:
        """Notes a part that failed."""
        self.notes.append(sentence)
        self.complete = False


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Runs a session (contract 13).

    Raises ProcessingError: TEMPLATE_ERROR, URL_FETCH_ERROR, URL_TRANSFORMATION_ERROR, and what the chat model fails
    with while the template is filled; BlobStoreError.
    """
    asked = cast(SessionParameters, parameters)
    report("initializing", 0)
    names = template_names(asked.template, asked.target_language)
    template = Chosen(*templates.load(names, workspace.limits.templates_dir))
    inputs = gather(asked, workspace, report)
    earlier = workspace.recall(asked, **_shape(inputs, template, workspace.providers))
    return earlier or _Run(asked, workspace, report).result(inputs, template)


def _shape(inputs: Inputs, template: Chosen, providers: Providers) -> dict[str, Any]:
    """What shapes the result beside the parameters (contract 10)."""
    return {
        **inputs.fingerprints(),
        "template": [template.name, template.content],
        "chat_model": providers.chat_model if providers.has_chat else None,
        "ocr_model": providers.ocr_model if providers.has_ocr else None,
        "version": VERSION,
    }


class _Run:
    """One run, once its inputs are there."""

    def __init__(self, asked: SessionParameters, workspace: Workspace, report: ReportProgress) -> None:
        self._asked = asked
        self._workspace = workspace
        self._report = report
        self._account = RunNotes()

    def result(self, inputs: Inputs, template: Chosen) -> Result:
        """The steps of contract 13 in their order, from the video on."""
        for failure in inputs.failures:
            self._account.miss(failure)
        transcript = self._transcript(inputs.video)
        material = self._with_attachment(Material(inputs.web_text, transcript), inputs)
        layout = self._layout()
        kept = self._keep_previews(layout, material)
        self._report("generating_markdown", 90)
        written = self._write(template, material)
        place = self._workspace.keep(layout.markdown, written.markdown.encode(), "text/markdown")
        archive = self._keep_archive(layout, material, written) if self._asked.create_archive else None
        return Result(
            structured_data=written.fields,
            assets=tuple(kept),
            extra=self._extra(layout, material, written, place, archive, kept),
            files={"archive": archive} if archive else {},
            notes=tuple(self._account.notes),
            pages=len(material.texts) or None,
            bytes_in=inputs.size,
            cacheable=self._account.complete,
        )

    # --- steps 2 to 4 ---------------------------------------------------------------------------------------------

    def _transcript(self, video: Path | None) -> str:
        """What is said in the video; empty when that cannot be known."""
        if self._asked.video_transcript is not None:
            return one_line(self._asked.video_transcript)
        if video is None:
            if self._asked.video_url:
                self._account.say(*self._deaf())
            return ""
        self._beat()
        try:
            return transcribe(video, self._asked.source_language, self._workspace, self._beat)
        except ProcessingError as error:
            self._account.miss(f"The video was not transcribed: {error.message}")
            return ""

    def _deaf(self) -> Iterator[str]:
        """Why nobody could listen to the video; nothing when somebody could have, and it could not be fetched."""
        try:
            ear_for(self._asked.source_language, self._workspace.providers)
        except ProcessingError as error:
            yield f"The video was not transcribed: {error.message}"

    def _beat(self) -> None:
        self._report("processing_video", 50)

    def _with_attachment(self, material: Material, inputs: Inputs) -> Material:
        """The material with the attachment's pages; without any when they cannot be read."""
        if inputs.attachment is None:
            return material
        try:
            attachment = session_attachment.read(inputs.attachment, self._workspace, self._report)
        except ProcessingError as error:
            self._account.miss(f"The attachment cannot be read: {error.message}")
            return material
        self._account.say(*attachment.notes)
        return replace(material, texts=attachment.texts, previews=attachment.previews)

    def _layout(self) -> Layout:
        """Where the files go, their names in the target language."""
        asked = self._asked
        translator = Translator(self._workspace.providers, asked.source_language, asked.target_language)
        event, track, name = (translator.translate(text) for text in (asked.event, asked.track, stem(asked.filename)))
        for note in translator.notes:
            (self._account.miss if self._workspace.providers.has_chat else self._account.say)(note)
        return Layout.of(event, asked.target_language, track, name)

    # --- steps 5 to 8 ---------------------------------------------------------------------------------------------

    @property
    def _attachment(self) -> str:
        return attachment_stem(self._asked.attachments_url or "")

    def _keep_previews(self, layout: Layout, material: Material) -> list[str]:
        """Keeps the previews at their place; answers their locations in the order of the pages."""
        folder = layout.assets(self._attachment)
        return [
            self._workspace.keep_file(f"{folder}/{preview_name(page)}", path, "image/jpeg")
            for page, path in sorted(material.previews.items())
        ]

    def _write(self, template: Chosen, material: Material) -> Written:
        written = write(self._asked, material, template, self._attachment, self._workspace.providers)
        self._account.say(*written.notes)
        return written

    def _keep_archive(self, layout: Layout, material: Material, written: Written) -> str | None:
        """Keeps `<session>.zip`; answers its name, None when it could not be made (which fails nothing)."""
        name = f"{safe_name(self._asked.session)}.zip"
        folder = layout.archived_assets(self._attachment)
        previews = {f"{folder}/{preview_name(page)}": path for page, path in material.previews.items()}
        path = self._workspace.folder / "archive.zip"
        try:
            session_archive.write(path, self._asked, (layout.archived_markdown, written.markdown), previews)
            self._workspace.keep_file(name, path, "application/zip")
        except (OSError, BlobStoreError, LargeZipFile) as error:
            self._account.miss(f"The archive could not be made: {error}")
            return None
        return name

    def _extra(
        self, layout: Layout, material: Material, written: Written, place: str, archive: str | None, kept: list[str]
    ) -> dict[str, Any]:
        """The further keys of contract 6, those of the documents and those of upstream's code."""
        page_texts = material.page_texts()
        target = self._workspace.target_dir
        return {
            "markdown_file": place,
            "markdown_content": written.markdown,
            "attachments": kept,
            "video_transcript": material.transcript,
            "web_text": material.web_text,
            "attachments_text": "\n\n".join(text for text in page_texts if text.strip()),
            "attachments_url": self._asked.attachments_url,
            "page_texts": page_texts,
            "asset_dir": f"{target}/{layout.assets(self._attachment)}" if kept else None,
            "archive_filename": archive,
        }
