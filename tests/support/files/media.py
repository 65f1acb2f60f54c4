"""Small sound and video files of our own, made when a test needs them."""

import io
import math
import struct
import wave

import av

RATE = 16_000
PITCH = 440.0


def speech(seconds: int) -> bytes:
    """A WAV file with a tone: sound enough for everything but a listener."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(_samples(seconds))
    return out.getvalue()


def film(seconds: int, sound: bool = True) -> bytes:
    """An MP4 file of a grey picture, with a tone or silent."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        pictures = file.add_stream("mpeg4", rate=5)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        track = file.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for number in range(5 * seconds):
            picture = av.VideoFrame(64, 48, "yuv420p")
            for plane in picture.planes:
                plane.update(b"\x80" * plane.buffer_size)
            picture.pts = number
            file.mux(pictures.encode(picture))
        file.mux(pictures.encode(None))
        if track is not None:
            for piece in _frames(seconds):
                file.mux(track.encode(piece))
            file.mux(track.encode(None))
    return out.getvalue()


def _samples(seconds: int) -> bytes:
    heights = (round(9000 * math.sin(2 * math.pi * PITCH * at / RATE)) for at in range(RATE * seconds))
    return b"".join(struct.pack("<h", height) for height in heights)


def _frames(seconds: int) -> "list[av.AudioFrame]":
    """The samples in planes of 1,024 floats, as the encoder wants them."""
    with av.open(io.BytesIO(speech(seconds))) as source:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE, frame_size=1024)
        made = [piece for frame in source.decode(audio=0) for piece in resampler.resample(frame)]
        return [*made, *resampler.resample(None)]
