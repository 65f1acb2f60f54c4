"""The sound of media files, real ones made here, and of files that are none."""

import io

import av
import pytest

from services.worker.speech import sound
from services.worker.speech.sound import NoSoundError, extract
from tests.support.files.media import film, speech


def beat():
    """Ignore the progress."""


@pytest.mark.parametrize("content", [speech(seconds=2), film(seconds=2)], ids=["wav", "mp4"])
def test_the_sound_becomes_16_khz_mono_mp3_of_the_same_length(tmp_path, content):
    target = tmp_path / "sound.mp3"
    assert extract(io.BytesIO(content), target, beat) == pytest.approx(2, abs=0.1)
    with av.open(str(target)) as made:
        (track,) = made.streams.audio
        assert (track.codec.canonical_name, track.rate, track.layout.name) == ("mp3", 16_000, "mono")
        assert made.duration / 1_000_000 == pytest.approx(2, abs=0.2)


def test_progress_is_reported_while_work_goes_on(tmp_path):
    beats = []
    extract(io.BytesIO(speech(seconds=2)), tmp_path / "sound.mp3", lambda: beats.append(1))
    assert len(beats) > 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (film(seconds=1, sound=False), "no sound track"),
        (b"", "not a supported video or audio file"),
        (b"<html>not found</html>", "not a supported video or audio file"),
        (bytes(range(256)) * 500, "not a supported video or audio file"),
        (film(seconds=1)[:200], "not a supported video or audio file"),
    ],
    ids=["silent", "empty", "page", "noise", "cut"],
)
def test_a_file_without_sound_is_refused_with_a_reason(tmp_path, content, why):
    with pytest.raises(NoSoundError, match=why):
        extract(io.BytesIO(content), tmp_path / "sound.mp3", beat)


def test_a_playlist_opens_no_other_file(tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(speech(seconds=1))
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    for playlist in (hls, f"ffconcat version 1.0\nfile {secret}\n"):
        with pytest.raises(NoSoundError):
            extract(io.BytesIO(playlist.encode()), tmp_path / "sound.mp3", beat)


def test_a_damaged_middle_costs_its_own_sound_only(tmp_path):
    content = bytearray(film(seconds=4))
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    assert extract(io.BytesIO(bytes(content)), tmp_path / "sound.mp3", beat) > 2


def test_every_format_that_is_read_is_known_to_ffmpeg():
    known = {part for name in av.formats_available for part in name.split(",")}
    assert set(sound.FORMATS.split(",")) <= known
