"""The `transcription` job (contract 15d): the words spoken in an audio or video file.

Who listens is in `listening`; here stand the file, the cache and the result.
"""

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
from services.worker.providers import Spoken
from services.worker.run import memory
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.speech.speech_to_text import Ear, ear_for, listen

TRANSCRIPT = "transcript.txt"
NO_END_MARKER = b""  # recordings have none
BEGUN, DONE = 20, 90  # percent at which listening begins and ends
NO_SPEECH = "No speech was recognised in the recording."
ASSUMED = "The local recogniser understands English only, and took the speech for English."


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Transcribes.

    Raises ProcessingError: TRANSCRIPTION_UNAVAILABLE, UNSUPPORTED_FILE_TYPE, PROCESSING_ERROR for a file without sound,
    what the source or the provider fails with; BlobStoreError.
    """
    asked = cast(TranscriptionParameters, parameters)
    report("initializing", 0)
    ear = ear_for(asked.source_language, workspace.providers)
    report("reading_file", 5)
    with _source(asked, workspace, report) as source:
        _require_recording(source)
        written_ns = source.written_ns
        earlier = workspace.recall(asked, without=SOURCES, content=source.sha256(), **_shape(ear))
        if earlier is not None:
            return earlier.renamed(_metadata(source))
        spoken, seconds = _listen(source, ear, workspace, report)
        report("finalizing", 95)
        result = _result(asked, ear, source, spoken, seconds, workspace)
        return replace(result, cacheable=source.written_ns == written_ns)


def _shape(ear: Ear) -> dict[str, str]:
    """What shapes the result beside the content and the parameters (contract 10)."""
    return {"model": ear.model} | ({"recogniser": version("faster-whisper")} if ear.by == "here" else {})


def _source(
    asked: TranscriptionParameters, workspace: Workspace, report: ReportProgress
) -> AbstractContextManager[Source]:
    media = replace(workspace, limits=workspace.limits.for_media())
    if asked.url is not None:
        return sources.open_url(asked.url, media, partial(report, "downloading_media", 5))
    if asked.filename is not None:
        return sources.open_source(asked.filename, media, NO_END_MARKER)
    if not isinstance(workspace.resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"There is no document {asked.document_id}.")
    return sources.open_claim(workspace.resolved.content, workspace.resolved.name, media)


def _require_recording(source: Source) -> None:
    """Refuses what is something else by its name, or by what was said of it."""
    media_type = _media_type(source)
    if not media_type.startswith(("audio/", "video/")) and media_type != UNKNOWN:
        raise ProcessingError(
            ErrorCode.UNSUPPORTED_FILE_TYPE,
            f"Files of the type {media_type[:100]} are not transcribed: give an audio or video file.",
        )


def _media_type(source: Source) -> str:
    return media_type_of(source.name, source.media_type)


def _listen(source: Source, ear: Ear, workspace: Workspace, report: ReportProgress) -> tuple[Spoken, float]:
    pace = _Pace(report)
    report("transcribing", BEGUN)
    try:
        pace.expect(source)
        return listen(source.file, ear, workspace, pace.reached)
    finally:
        memory.give_back()


@dataclass(slots=True)
class _Pace:
    """Tells how far the listening is, by the length that the file says it has."""

    report: ReportProgress
    whole_s: float | None = None

    def expect(self, source: Source) -> None:
        """Looks how long the recording is. One that cannot be read is refused where it is listened to."""
        from services.worker.speech import sound  # FFmpeg: 25 MB that only recordings need

        try:
            self.whole_s = sound.length_s(source.file)
        except sound.NoSoundError:
            self.whole_s = None

    def reached(self, seconds: float) -> None:
        """So many seconds are done."""
        share = min(seconds / self.whole_s, 1.0) if self.whole_s else 0.0
        self.report("transcribing", BEGUN + round((DONE - BEGUN) * share))


def _result(
    asked: TranscriptionParameters, ear: Ear, source: Source, spoken: Spoken, seconds: float, workspace: Workspace
) -> Result:
    text = spoken.text.strip()
    data: dict[str, Any] = {
        "text": text,
        "extracted_text": text,  # where the text of any document is read from
        "segments": [{"start": one.start, "end": one.end, "text": one.text} for one in spoken.segments],
        "language": spoken.language,
        "duration_s": round(seconds, 2),
        "metadata": _metadata(source) | {"extraction_method": spoken.model},
    }
    kept = workspace.keep(TRANSCRIPT, f"{text}\n".encode(), "text/plain; charset=utf-8")
    return Result(
        structured_data=data,
        assets=(kept,),
        notes=tuple(_notes(asked, ear, text)),
        bytes_in=source.size,
        method=spoken.model,
        counts={"seconds": round(seconds), "words": len(text.split())},
    )


def _metadata(source: Source) -> dict[str, Any]:
    return {"file_name": source.name, "file_size": source.size, "mime_type": _media_type(source)}


def _notes(asked: TranscriptionParameters, ear: Ear, text: str) -> list[str]:
    notes = [] if text else [NO_SPEECH]
    if ear.by == "here" and asked.source_language is None:
        notes.append(ASSUMED)
    return notes
