"""The local recogniser with a real voice, and how a long recording is cut."""

import io

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.speech import whisper
from services.worker.speech.sound import NoSoundError
from tests.support.files.media import speech
from tests.support.files.voice import KEY_WORDS, SENTENCE, recording_of

RATE = 100  # samples a second are enough for cutting


def unheard(seconds):
    """Ignore the progress."""


@given(st.lists(st.integers(min_value=1, max_value=9000), max_size=8), st.integers(min_value=0, max_value=9))
def test_pieces_are_the_whole_in_its_order_and_none_is_too_long(lengths, seed):
    random = numpy.random.default_rng(seed)
    arrays = [random.standard_normal(length).astype(numpy.float32) for length in lengths]
    made = list(whisper.pieces(iter(arrays), RATE))
    assert all(0 < len(piece) <= whisper.PIECE_S * RATE for piece in made)
    assert all(len(piece) >= (whisper.PIECE_S - whisper.SEARCH_S) * RATE for piece in made[:-1])
    if arrays:
        assert numpy.array_equal(numpy.concatenate(made), numpy.concatenate(arrays))
    else:
        assert made == []


def test_a_piece_ends_in_the_middle_of_its_quietest_moment():
    sound = numpy.ones(whisper.PIECE_S * RATE, dtype=numpy.float32)
    sound[5500:5520] = 0
    assert 5500 <= whisper.quietest(sound, RATE) <= 5520


def test_a_sentence_is_understood_with_its_times():
    reported = []
    spoken, seconds = whisper.recognise(io.BytesIO(recording_of(SENTENCE)), reported.append)
    assert [word for word in KEY_WORDS if word not in spoken.text.lower()] == []
    assert (spoken.language, spoken.model) == ("en", "whisper-tiny.en")
    assert 3 < seconds < 8
    assert spoken.segments[0].start < 1
    assert seconds - 2 < spoken.segments[-1].end <= seconds
    assert reported[-1] == pytest.approx(seconds)


def test_a_recording_of_several_pieces_keeps_its_words_and_counts_on(monkeypatch):
    monkeypatch.setattr(whisper, "PIECE_S", 6)
    monkeypatch.setattr(whisper, "SEARCH_S", 4)
    recording = recording_of(SENTENCE, "The weather in London is cold.", SENTENCE)
    spoken, seconds = whisper.recognise(io.BytesIO(recording), unheard)
    text = spoken.text.lower()
    assert text.count("annual report") == 2
    assert text.index("annual report") < text.index("weather in london") < text.rindex("annual report")
    starts = [segment.start for segment in spoken.segments]
    assert starts == sorted(starts)
    assert starts[-1] > 6
    assert spoken.segments[-1].end <= seconds


def test_the_same_recording_gives_the_same_text():
    recording = recording_of(SENTENCE)
    assert whisper.recognise(io.BytesIO(recording), unheard) == whisper.recognise(io.BytesIO(recording), unheard)


def test_a_tone_and_silence_give_no_text():
    for recording in (speech(seconds=3), recording_of("", pause_s=3)):
        spoken, seconds = whisper.recognise(io.BytesIO(recording), unheard)
        assert (spoken.text, spoken.segments) == ("", ())
        assert seconds == pytest.approx(3, abs=0.2)


def test_a_file_that_is_not_a_recording_is_refused():
    with pytest.raises(NoSoundError, match="not a supported video or audio file"):
        whisper.recognise(io.BytesIO(b"<html>"), unheard)
