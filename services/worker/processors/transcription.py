"""The `transcription` job (docs/contract/devana.md#job-types): the text of an audio or video file."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any, cast

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.parameters import SOURCES, JobParameters
from schemas.job_types.transcription import TranscriptionParameters
from schemas.media import UNKNOWN, media_type_of
from services.worker.errors import ProcessingError
from services.worker.files import sources
from services.worker.files.sources import Source
from services.worker.providers import Transcription
from services.worker.run import memory
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.speech.speech_to_text import Recogniser, recogniser_for, transcribe

TRANSCRIPT = "transcript.txt"
NO_END_MARKER = b""  # recordings have none
BEGUN, DONE = 20, 90  # percent at the begin and end of the transcription
NO_SPEECH = "No speech was recognised in the recording."
ASSUMED = "The local recogniser supports English only and assumed that the speech is English."


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job.

    Raises ProcessingError: TRANSCRIPTION_UNAVAILABLE, UNSUPPORTED_FILE_TYPE, PROCESSING_ERROR for a file without sound,
    and the errors of the source and the provider; BlobStoreError.
    """
    params = cast(TranscriptionParameters, parameters)
    report("initializing", 0)
    recogniser = recogniser_for(params.source_language, workspace.providers)
    report("reading_file", 5)
    with _source(params, workspace, report) as source:
        _require_recording(source)
        written_ns = source.written_ns
        earlier = workspace.recall(params, without=SOURCES, content=source.sha256(), **_shape(recogniser))
        if earlier is not None:
            return earlier.renamed(_metadata(source))
        transcription, seconds = _transcribe(source, recogniser, workspace, report)
        report("finalizing", 95)
        result = _result(params, recogniser, source, transcription, seconds, workspace)
        return replace(result, cacheable=source.written_ns == written_ns)


def _shape(recogniser: Recogniser) -> dict[str, str]:
    """Return what determines the result besides the content and the parameters (docs/contract/secretary.md#cache)."""
    return {"model": recogniser.model} | (
        {"recogniser": version("faster-whisper")} if recogniser.where == "local" else {}
    )


def _source(
    params: TranscriptionParameters, workspace: Workspace, report: ReportProgress
) -> AbstractContextManager[Source]:
    media = replace(workspace, limits=workspace.limits.for_media())
    if params.url is not None:
        return sources.open_url(params.url, media, partial(report, "downloading_media", 5))
    if params.filename is not None:
        return sources.open_source(params.filename, media, NO_END_MARKER)
    if not isinstance(workspace.resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"The document {params.document_id} does not exist.")
    return sources.open_claim(workspace.resolved.content, workspace.resolved.name, media)


def _require_recording(source: Source) -> None:
    """Raise ProcessingError UNSUPPORTED_FILE_TYPE unless the name or declared media type allows a recording."""
    media_type = _media_type(source)
    if not media_type.startswith(("audio/", "video/")) and media_type != UNKNOWN:
        raise ProcessingError(
            ErrorCode.UNSUPPORTED_FILE_TYPE,
            f"Files of the type {media_type[:100]} are not transcribed: give an audio or video file.",
        )


def _media_type(source: Source) -> str:
    return media_type_of(source.name, source.media_type)


def _transcribe(
    source: Source, recogniser: Recogniser, workspace: Workspace, report: ReportProgress
) -> tuple[Transcription, float]:
    progress = _Progress(report)
    report("transcribing", BEGUN)
    try:
        progress.measure(source)
        return transcribe(source.file, recogniser, workspace, progress.reached)
    finally:
        memory.give_back()


@dataclass(slots=True)
class _Progress:
    """Reports the progress of a transcription by the length in the file's metadata."""

    report: ReportProgress
    whole_s: float | None = None

    def measure(self, source: Source) -> None:
        """Read the length of the recording. A file that cannot be read fails in the transcription."""
        from services.worker.speech import sound  # imports FFmpeg: 25 MB

        try:
            self.whole_s = sound.length_s(source.file)
        except sound.NoSoundError:
            self.whole_s = None

    def reached(self, seconds: float) -> None:
        """Report that `seconds` of the recording are done."""
        share = min(seconds / self.whole_s, 1.0) if self.whole_s else 0.0
        self.report("transcribing", BEGUN + round((DONE - BEGUN) * share))


def _result(
    params: TranscriptionParameters,
    recogniser: Recogniser,
    source: Source,
    transcription: Transcription,
    seconds: float,
    workspace: Workspace,
) -> Result:
    text = transcription.text.strip()
    data: dict[str, Any] = {
        "text": text,
        "extracted_text": text,  # the common key of all extracted texts
        "segments": [{"start": one.start, "end": one.end, "text": one.text} for one in transcription.segments],
        "language": transcription.language,
        "duration_s": round(seconds, 2),
        "metadata": _metadata(source) | {"extraction_method": transcription.model},
    }
    kept = workspace.keep(TRANSCRIPT, f"{text}\n".encode(), "text/plain; charset=utf-8")
    return Result(
        structured_data=data,
        assets=(kept,),
        notes=tuple(_notes(params, recogniser, text)),
        bytes_in=source.size,
        method=transcription.model,
        counts={"seconds": round(seconds), "words": len(text.split())},
    )


def _metadata(source: Source) -> dict[str, Any]:
    return {"file_name": source.name, "file_size": source.size, "mime_type": _media_type(source)}


def _notes(params: TranscriptionParameters, recogniser: Recogniser, text: str) -> list[str]:
    notes = [] if text else [NO_SPEECH]
    if recogniser.where == "local" and params.source_language is None:
        notes.append(ASSUMED)
    return notes
