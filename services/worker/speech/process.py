"""The local recogniser in a process of its own, a child of the child, for one recording.

It takes 1.5 GiB of address space, most of it for good, and other models of the same child take as much again: together
they would not fit below the cap, which each process has for itself. Starting it takes a second. It gets the recording
as its standard input and answers on its standard output: seconds that are done, then a `Transcript`, one a line.
"""

import os
import subprocess
import sys
import time
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers.answers import Spoken
from services.worker.run.parent_death import die_with
from services.worker.speech import whisper

PACE_S = 0.5  # between two words about progress
OUT_OF_MEMORY = "MemoryError"


class Transcript(BaseModel):
    """The last line: what was said in how many seconds, or why that cannot be known."""

    model_config = ConfigDict(frozen=True)

    spoken: Spoken | None = None
    seconds: float = 0.0
    no_sound: str | None = None


def recognise(source: BinaryIO, progress: whisper.Progress) -> tuple[Spoken, float]:
    """As `whisper.recognise`, from a file on this disk.

    Raises sound.NoSoundError, MemoryError, and ProcessingError PROCESSOR_CRASHED.
    """
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
    if transcript.spoken is None:
        raise NoSoundError(transcript.no_sound)
    return transcript.spoken, transcript.seconds


def main() -> None:
    """Recognises what comes in. The argument is the process id of who started it."""
    from services.worker.speech.sound import NoSoundError

    die_with(int(sys.argv[1]))
    try:
        spoken, seconds = whisper.recognise(sys.stdin.buffer, Teller())
    except NoSoundError as error:
        answer = Transcript(no_sound=str(error)).model_dump_json()
    except MemoryError:
        answer = OUT_OF_MEMORY
    else:
        answer = Transcript(spoken=spoken, seconds=seconds).model_dump_json()
    print(answer, flush=True)


class Teller:
    """Prints the seconds that are done, now and then."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, seconds: float) -> None:
        """See `whisper.Progress`."""
        if time.monotonic() - self._told > PACE_S:
            self._told = time.monotonic()
            print(f"{seconds:.2f}", flush=True)


if __name__ == "__main__":
    main()
