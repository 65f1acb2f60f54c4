"""The local recogniser in a separate process for one recording, a child of the worker's child.

It keeps 1.5 GiB of address space; with the other models of the child it would exceed the memory cap, which applies per
process. Its start takes a second. It reads the recording from standard input and writes lines to standard output:
the seconds that are done, then a `Transcript`.
"""

import os
import subprocess
import sys
import time
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers.answers import Transcription
from services.worker.run.parent_death import die_with
from services.worker.speech import whisper

REPORT_S = 0.5  # interval of progress lines
OUT_OF_MEMORY = "MemoryError"


class Transcript(BaseModel):
    """The last line: the transcription and the length in seconds, or why there is no sound."""

    model_config = ConfigDict(frozen=True)

    transcription: Transcription | None = None
    seconds: float = 0.0
    no_sound: str | None = None


def recognise(source: BinaryIO, progress: whisper.Progress) -> tuple[Transcription, float]:
    """Run `whisper.recognise` on a local file. Raises NoSoundError, MemoryError, ProcessingError PROCESSOR_CRASHED."""
    from services.worker.speech.sound import NoSoundError

    command = [sys.executable, "-m", __spec__.name, str(os.getpid())]
    last = b""
    with subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            for last in process.stdout:
                if last[:1].isdigit():
                    progress(float(last))
        except BaseException:
            process.kill()
            raise
    if process.returncode or not last:
        raise ProcessingError(
            ErrorCode.PROCESSOR_CRASHED, f"The speech recogniser ended with exit code {process.returncode}."
        )
    if last.strip() == OUT_OF_MEMORY.encode():
        raise MemoryError
    transcript = Transcript.model_validate_json(last)
    if transcript.transcription is None:
        raise NoSoundError(transcript.no_sound)
    return transcript.transcription, transcript.seconds


def main() -> None:
    """Recognise standard input. The argument is the process id of the parent."""
    from services.worker.speech.sound import NoSoundError

    die_with(int(sys.argv[1]))
    try:
        transcription, seconds = whisper.recognise(sys.stdin.buffer, ProgressPrinter())
    except NoSoundError as error:
        answer = Transcript(no_sound=str(error)).model_dump_json()
    except MemoryError:
        answer = OUT_OF_MEMORY
    else:
        answer = Transcript(transcription=transcription, seconds=seconds).model_dump_json()
    print(answer, flush=True)


class ProgressPrinter:
    """Prints the seconds that are done, at most once per REPORT_S."""

    def __init__(self) -> None:
        self._printed = 0.0

    def __call__(self, seconds: float) -> None:
        """See `whisper.Progress`."""
        if time.monotonic() - self._printed > REPORT_S:
            self._printed = time.monotonic()
            print(f"{seconds:.2f}", flush=True)


if __name__ == "__main__":
    main()
