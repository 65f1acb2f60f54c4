"""The words of a session's video, in the language spoken there (contract 13, step 2)."""

from collections.abc import Callable
from pathlib import Path

from services.worker.run.workspace import Workspace
from services.worker.speech.speech_to_text import ear_for, listen


def transcribe(video: Path, language: str, workspace: Workspace, beat: Callable[[], None]) -> str:
    """What is said in a video or audio file, in one line. `language` is that of the speakers, such as `en`.

    Raises ProcessingError: as `listening.ear_for` and `listening.listen` do.
    """
    ear = ear_for(language, workspace.providers)
    with video.open("rb") as source:
        spoken, _ = listen(source, ear, workspace, lambda seconds: beat())
    return one_line(spoken.text)


def one_line(text: str) -> str:
    """Text with its white space collapsed."""
    return " ".join(text.split())
