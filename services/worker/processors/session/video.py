"""The transcript of a session's video (docs/contract/secretary.md#session-run, step 2)."""

from collections.abc import Callable
from pathlib import Path

from services.worker.run.workspace import Workspace
from services.worker.speech.speech_to_text import recogniser_for
from services.worker.speech.speech_to_text import transcribe as transcribe_file


def transcribe(video: Path, language: str, workspace: Workspace, beat: Callable[[], None]) -> str:
    """Return the transcript of a video or audio file in one line. `language` is that of the speakers, such as `en`.

    Raises ProcessingError as `recogniser_for` and `transcribe_file`.
    """
    recogniser = recogniser_for(language, workspace.providers)
    with video.open("rb") as source:
        transcription, _ = transcribe_file(source, recogniser, workspace, lambda seconds: beat())
    return one_line(transcription.text)


def one_line(text: str) -> str:
    """Collapse white space."""
    return " ".join(text.split())
