"""The sound of a video or audio file: as a small MP3 for a provider, as samples for a recogniser. Fetches nothing.

FFmpeg, by way of PyAV, reads hostile files here: import this module in a child process only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

RATE = 16_000  # Hz; what recognisers are trained on
BITS = 48_000  # a second: 21 MB an hour, speech untouched
FORMATS = "aac,ac3,aiff,asf,avi,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,wav,w64"
"""Containers that are read. None of them is a playlist, which could name other files and addresses."""
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}

av.logging.set_level(av.logging.PANIC)  # what FFmpeg says of hostile files is not our log's business


class NoSoundError(ValueError):
    """The file holds no sound that can be decoded; the text says why."""


def extract(source: BinaryIO, target: Path, beat: Callable[[], None]) -> float:
    """Writes the first sound track of `source` to `target` as 16 kHz mono MP3; answers its length in seconds.

    `beat` is called as the work goes on. Raises NoSoundError, MemoryError.
    """
    with _track(source) as (media, track):
        samples = _encode(_resampled(media, track, "s16p", beat), target)
        if not samples:
            raise _empty()
    return samples / RATE


def samples(source: BinaryIO, beat: Callable[[], None]) -> Iterator[Any]:
    """The first sound track of `source` as it comes: 16 kHz mono, NumPy arrays of float32 from -1 to 1.

    `beat` and what it raises are as for `extract`.
    """
    with _track(source) as (media, track):
        silent = True
        for frame in _resampled(media, track, "fltp", beat):
            silent = False
            yield frame.to_ndarray()[0]
        if silent:
            raise _empty()


def length_s(source: BinaryIO) -> float | None:
    """How long the sound lasts as the file says, which may be wrong; None when it does not say. Raises NoSoundError."""
    with _track(source) as (media, track):
        if track.duration is not None and track.time_base is not None:
            return float(track.duration * track.time_base)
        return media.duration / av.time_base if media.duration else None


@contextmanager
def _track(source: BinaryIO) -> Iterator[tuple["av.container.InputContainer", AudioStream]]:
    """The opened file and its first sound track. What FFmpeg raises meanwhile means that the file is at fault."""
    source.seek(0)
    try:
        with av.open(source, "r", options=OPTIONS) as media:
            track = next(iter(media.streams.audio), None)
            if track is None:
                raise NoSoundError("it has no sound track")
            yield media, track
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError, OSError) as error:
        if isinstance(error, NoSoundError):
            raise
        raise NoSoundError("it is no video or audio file of a known kind, or is damaged") from error


def _empty() -> NoSoundError:
    return NoSoundError("its sound track is empty")


def _resampled(
    media: "av.container.InputContainer", track: AudioStream, form: str, beat: Callable[[], None]
) -> Iterator[AudioFrame]:
    """The track's sound in 16 kHz mono. A damaged packet costs its own sound only."""
    resampler = AudioResampler(format=form, layout="mono", rate=RATE)
    for packet in media.demux(track):
        beat()
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _encode(frames: Iterator[AudioFrame], target: Path) -> int:
    """Writes frames as MP3; answers how many samples they had."""
    count = 0
    with av.open(str(target), "w", format="mp3") as out:
        encoder = out.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=BITS)
        for frame in frames:
            count += frame.samples
            frame.pts = None  # a gap in the recording is no error
            out.mux(encoder.encode(frame))
        out.mux(encoder.encode(None))
    return count
