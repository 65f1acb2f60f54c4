"""The words of a session's video, in the language spoken there (contract 13, step 2)."""

from collections.abc import Callable
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.processors.contract import ProcessingError, Workspace

SOUND = "sound.mp3"


def transcribe(video: Path, language: str, workspace: Workspace, beat: Callable[[], None]) -> str:
    """What is said in a video or audio file, in one line. `language` is that of the speakers, such as `en`.

    Raises ProcessingError: PROCESSING_ERROR for a file without sound, else what the provider fails with.
    """
    from services.worker.processors import session_audio  # FFmpeg: 25 MB that only videos need

    sound = workspace.folder / SOUND
    try:
        with video.open("rb") as source:
            session_audio.extract(source, sound, beat)
    except session_audio.NoSoundError as error:
        raise ProcessingError(ErrorCode.PROCESSING_ERROR, f"The video cannot be used: {error}.") from error
    beat()
    spoken = workspace.providers.transcribe(sound, language.partition("-")[0].lower())
    return one_line(spoken)


def one_line(text: str) -> str:
    """Text with its white space collapsed."""
    return " ".join(text.split())
