"""The `session` job: page, video and slides become a Markdown file (docs/contract/secretary.md#session-run)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from zipfile import LargeZipFile

from schemas.job_types.parameters import JobParameters
from schemas.job_types.session import SessionParameters
from services.worker import templates
from services.worker.errors import ProcessingError, is_own_fault
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
from services.worker.processors.session.writing import Material, NamedTemplate, SessionText, write
from services.worker.providers import Providers
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.speech.speech_to_text import recogniser_for

VERSION = 2
"""The version of the results: an increment invalidates cached results."""


@dataclass(slots=True)
class RunNotes:
    """Notes for the job's log, and whether the result is complete and may be cached."""

    notes: list[str] = field(default_factory=list)
    complete: bool = True

    def add(self, *sentences: str) -> None:
        """Add notes."""
        self.notes += sentences

    def add_failure(self, sentence: str) -> None:
        """Add a note about a part that failed."""
        self.notes.append(sentence)
        self.complete = False


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job.

    Raises ProcessingError: TEMPLATE_ERROR, URL_FETCH_ERROR, URL_TRANSFORMATION_ERROR, and the chat model's errors while
    the template is filled; BlobStoreError.
    """
    params = cast(SessionParameters, parameters)
    report("initializing", 0)
    names = template_names(params.template, params.target_language)
    template = NamedTemplate(*templates.load(names, workspace.limits.templates_dir))
    inputs = gather(params, workspace, report)
    earlier = workspace.recall(params, **_shape(inputs, template, workspace.providers))
    return earlier or _Run(params, workspace, report).result(inputs, template)


def _shape(inputs: Inputs, template: NamedTemplate, providers: Providers) -> dict[str, Any]:
    """Return what determines the result besides the parameters (docs/contract/secretary.md#cache)."""
    return {
        **inputs.fingerprints(),
        "template": [template.name, template.content],
        "chat_model": providers.chat_model if providers.has_chat else None,
        "ocr_model": providers.ocr_model if providers.has_ocr else None,
        "version": VERSION,
    }


class _Run:
    """One run with its inputs downloaded."""

    def __init__(self, params: SessionParameters, workspace: Workspace, report: ReportProgress) -> None:
        self._asked = params
        self._workspace = workspace
        self._report = report
        self._notes = RunNotes()

    def result(self, inputs: Inputs, template: NamedTemplate) -> Result:
        """Run the steps of docs/contract/secretary.md#session-run after the downloads."""
        for failure in inputs.failures:
            self._notes.add_failure(failure)
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
            notes=tuple(self._notes.notes),
            pages=len(material.texts) or None,
            bytes_in=inputs.size,
            cacheable=self._notes.complete,
        )

    # --- steps 2 to 4 ---------------------------------------------------------------------------------------------

    def _transcript(self, video: Path | None) -> str:
        """Return the transcript of the video, empty without one."""
        if self._asked.video_transcript is not None:
            return one_line(self._asked.video_transcript)
        if video is None:
            if self._asked.video_url:
                self._notes.add(*self._why_not_transcribed())
            return ""
        self._beat()
        try:
            return transcribe(video, self._asked.source_language, self._workspace, self._beat)
        except ProcessingError as error:
            self._notes.add_failure(f"The video was not transcribed: {error.message}")
            return ""

    def _why_not_transcribed(self) -> Iterator[str]:
        """Yield a note if there is no recogniser; a failed download has a note already."""
        try:
            recogniser_for(self._asked.source_language, self._workspace.providers)
        except ProcessingError as error:
            yield f"The video was not transcribed: {error.message}"

    def _beat(self) -> None:
        self._report("processing_video", 50)

    def _with_attachment(self, material: Material, inputs: Inputs) -> Material:
        """Return the material with the attachment's pages, unchanged if they cannot be read."""
        if inputs.attachment is None:
            return material
        try:
            attachment = session_attachment.read(inputs.attachment, self._workspace, self._report)
        except ProcessingError as error:
            self._notes.add_failure(f"The attachment cannot be read: {error.message}")
            return material
        self._notes.add(*attachment.notes)
        return replace(material, texts=attachment.texts, previews=attachment.previews)

    def _layout(self) -> Layout:
        """Return the layout of the files, with translated names."""
        params = self._asked
        translator = Translator(self._workspace.providers, params.source_language, params.target_language)
        event, track, name = (
            translator.translate(text) for text in (params.event, params.track, stem(params.filename))
        )
        for note in translator.notes:
            (self._notes.add_failure if self._workspace.providers.has_chat else self._notes.add)(note)
        return Layout.of(event, params.target_language, track, name)

    # --- steps 5 to 8 ---------------------------------------------------------------------------------------------

    @property
    def _attachment(self) -> str:
        return attachment_stem(self._asked.attachments_url or "")

    def _keep_previews(self, layout: Layout, material: Material) -> list[str]:
        """Keep the previews; return their locations in the order of the pages."""
        folder = layout.assets(self._attachment)
        return [
            self._workspace.keep_file(f"{folder}/{preview_name(page)}", path, "image/jpeg")
            for page, path in sorted(material.previews.items())
        ]

    def _write(self, template: NamedTemplate, material: Material) -> SessionText:
        written = write(self._asked, material, template, self._attachment, self._workspace.providers)
        self._notes.add(*written.notes)
        return written

    def _keep_archive(self, layout: Layout, material: Material, written: SessionText) -> str | None:
        """Keep `<session>.zip` and return its name; None when it could not be written, which does not fail the job."""
        name = f"{safe_name(self._asked.session)}.zip"
        folder = layout.archived_assets(self._attachment)
        previews = {f"{folder}/{preview_name(page)}": path for page, path in material.previews.items()}
        path = self._workspace.folder / "archive.zip"
        try:
            session_archive.write(path, self._asked, (layout.archived_markdown, written.markdown), previews)
            self._workspace.keep_file(name, path, "application/zip")
        except (OSError, LargeZipFile) as error:
            if is_own_fault(error):
                raise
            self._notes.add_failure(f"The archive could not be written: {error}")
            return None
        return name

    def _extra(
        self, layout: Layout, material: Material, written: SessionText, place: str, archive: str | None, kept: list[str]
    ) -> dict[str, Any]:
        """Return the further keys of docs/contract/secretary.md#results."""
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
