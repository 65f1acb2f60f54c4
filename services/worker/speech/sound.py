"""The sound of a video or audio file: as a small MP3 for a provider, as samples for the local recogniser.

FFmpeg (PyAV) decodes untrusted files here: import this module in a child process only.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

RATE = 16_000  # Hz; recognisers are trained on it
BITS = 48_000  # bits per second: 21 MB per hour, no loss of quality for speech
FORMATS = "aac,ac3,aiff,asf,avi,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,wav,w64"
"""Supported containers. Playlists are excluded, since they can name other files and addresses."""
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}

av.logging.set_level(av.logging.PANIC)  # FFmpeg's messages about untrusted files are not logged


class NoSoundError(ValueError):
    """The file contains no sound that can be decoded; the message is the reason."""


def extract(source: BinaryIO, target: Path, beat: Callable[[], None]) -> float:
    """Write the first sound track of `source` to `target` as 16 kHz mono MP3; return its length in seconds.

    `beat` is called per packet. Raises NoSoundError, MemoryError.
    """
    with _track(source) as (media, track):
        samples = _encode(_resampled(media, track, "s16p", beat), target)
        if not samples:
            raise _empty()
    return samples / RATE


def samples(source: BinaryIO, beat: Callable[[], None]) -> Iterator[Any]:
    """Yield the first sound track: 16 kHz mono, NumPy arrays of float32 from -1 to 1. Raises as `extract`."""
    with _track(source) as (media, track):
        silent = True
        for frame in _resampled(media, track, "fltp", beat):
            silent = False
            yield frame.to_ndarray()[0]
        if silent:
            raise _empty()


def length_s(source: BinaryIO) -> float | None:
    """Return the sound's length by the file's metadata, which may be wrong; None without it. Raises NoSoundError."""
    with _track(source) as (media, track):
        if track.duration is not None and track.time_base is not None:
            return float(track.duration * track.time_base)
        return media.duration / av.time_base if media.duration else None


@contextmanager
def _track(source: BinaryIO) -> Iterator[tuple["av.container.InputContainer", AudioStream]]:
    """Open the file and yield its first sound track. Errors of FFmpeg inside become NoSoundError."""
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
        raise NoSoundError("it is not a supported video or audio file, or is damaged") from error


def _empty() -> NoSoundError:
    return NoSoundError("its sound track is empty")


def _resampled(
    media: "av.container.InputContainer", track: AudioStream, form: str, beat: Callable[[], None]
) -> Iterator[AudioFrame]:
    """Yield the track's sound in 16 kHz mono. Damaged packets are skipped."""
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
    """Write frames as MP3; return the number of samples."""
    count = 0
    with av.open(str(target), "w", format="mp3") as out:
        encoder = out.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=BITS)
        for frame in frames:
            count += frame.samples
            frame.pts = None  # gaps in the recording are allowed
            out.mux(encoder.encode(frame))
        out.mux(encoder.encode(None))
    return count
