"""The sound of a video or audio file as a small MP3 that a speech recogniser takes. Fetches and transcribes nothing.

FFmpeg, by way of PyAV, reads hostile files here: import this module in a child process only.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

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
    try:
        with av.open(source, "r", options=OPTIONS) as media:
            track = next(iter(media.streams.audio), None)
            if track is None:
                raise NoSoundError("it has no sound track")
            samples = _encode(_resampled(media, track, beat), target)
    except MemoryError:
        raise
    except (av.FFmpegError, ValueError, OSError) as error:
        if isinstance(error, NoSoundError):
            raise
        raise NoSoundError("it is no video or audio file of a known kind, or is damaged") from error
    if not samples:
        raise NoSoundError("its sound track is empty")
    return samples / RATE


def _resampled(
    media: "av.container.InputContainer", track: AudioStream, beat: Callable[[], None]
) -> Iterator[AudioFrame]:
    """The track's sound in 16 kHz mono. A damaged packet costs its own sound only."""
    resampler = AudioResampler(format="s16p", layout="mono", rate=RATE)
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
    samples = 0
    with av.open(str(target), "w", format="mp3") as out:
        encoder = out.add_stream("libmp3lame", rate=RATE, layout="mono", bit_rate=BITS)
        for frame in frames:
            samples += frame.samples
            frame.pts = None  # a gap in the recording is no error
            out.mux(encoder.encode(frame))
        out.mux(encoder.encode(None))
    return samples
