"""A voice that speaks English: eSpeak NG from a wheel. Makes the recordings that tests transcribe."""

import ctypes
import io
import wave
from functools import cache
from typing import Any

import espeakng_loader

SYNCHRONOUS, UTF8 = 2, 1  # speak_lib.h: AUDIO_OUTPUT_SYNCHRONOUS, espeakCHARS_UTF8
RATE_PARAMETER, WORDS_PER_MINUTE = 1, 140
OK = 0

SENTENCE = "The annual report of the company will be published on Monday."
KEY_WORDS = ("annual report", "company", "published on monday")
"""What a recogniser must understand of the sentence, in lower case."""


def recording_of(*sentences: str, pause_s: float = 0.6) -> bytes:
    """A WAV file of a voice that reads the sentences, with silence between them."""
    rate, spoken = _engine()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for sentence in sentences:
            file.writeframes(spoken(sentence))
            file.writeframes(bytes(2 * round(rate * pause_s)))
    return out.getvalue()


@cache
def _engine() -> tuple[int, Any]:
    """Samples a second, and what makes samples of a sentence. The library has one state for the whole process."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    assert rate > 0
    assert library.espeak_SetVoiceByName(b"English (Great Britain)") == OK
    assert library.espeak_SetParameter(RATE_PARAMETER, WORDS_PER_MINUTE, 0) == OK
    samples = bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def take(piece: Any, count: int, events: Any) -> int:
        if piece and count:
            samples.extend(ctypes.string_at(piece, count * 2))
        return OK

    library.espeak_SetSynthCallback(take)

    @cache
    def spoken(sentence: str) -> bytes:
        samples.clear()
        text = sentence.encode() + b"\0"
        assert library.espeak_Synth(text, len(text), 0, 1, 0, UTF8, None, None) == OK
        assert library.espeak_Synchronize() == OK
        assert take  # the library calls it: it must not be collected
        return bytes(samples)

    return rate, spoken
