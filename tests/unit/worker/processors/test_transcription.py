"""The `transcription` processor with real recordings: by the local recogniser, and by Mistral over the wire."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import av
import pytest

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.transcription import TranscriptionParameters
from services.worker.errors import ProcessingError
from services.worker.processors import transcription
from services.worker.providers import Providers, ProviderSetup
from services.worker.speech import speech_to_text as listening
from tests.support.files.media import film, speech
from tests.support.files.voice import KEY_WORDS, SENTENCE, recording_of
from tests.support.runs.pdf import Reports, content, kept, workspace
from tests.support.servers.mistral import AUDIO, KEY, refused

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def place(tmp_path):
    return workspace(tmp_path)


@pytest.fixture
def online(tmp_path, mistral):
    return workspace(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url)))


def recording(place, name="talk.wav", sound=None):
    path = place.limits.roots[0] / name
    path.write_bytes(sound or recording_of(SENTENCE))
    return path


def run(place, path=None, **asked):
    given = {"filename": str(path)} if path else {}
    reports = Reports()
    result = transcription.process(TranscriptionParameters(**given, **asked), place, reports)
    return result, reports


def failure(place, path=None, **asked):
    with pytest.raises(ProcessingError) as failed:
        run(place, path, **asked)
    return failed.value


def test_a_voice_becomes_text_on_this_machine(place):
    path = recording(place)
    result, reports = run(place, path, source_language="en-GB")
    data = result.structured_data
    assert [word for word in KEY_WORDS if word not in data["text"].lower()] == []
    assert data["extracted_text"] == data["text"]
    assert " ".join(segment["text"] for segment in data["segments"]) == data["text"]
    assert (data["language"], result.method) == ("en", "whisper-tiny.en")
    assert data["metadata"]["file_name"] == "talk.wav"
    assert (data["metadata"]["mime_type"], result.bytes_in) == ("audio/wav", path.stat().st_size)
    assert result.counts == {"seconds": round(data["duration_s"]), "words": len(data["text"].split())}
    assert kept(place) == ["transcript.txt"]
    assert content(place, "transcript.txt").decode() == f"{data['text']}\n"
    assert reports.steps == ["initializing", "reading_file", "transcribing", "finalizing"]
    assert max(reports.percents) == 95
    assert result.notes == ()
    json.dumps(result.body(place.target_dir))


def test_the_sound_of_a_video_is_transcribed(place, tmp_path):
    path = place.limits.roots[0] / "talk.mkv"
    with av.open(str(recording(place))) as voice, av.open(str(path), "w") as video:
        pictures = video.add_stream("mpeg4", rate=1)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        track = video.add_stream("libmp3lame", rate=22050, layout="mono")
        for frame in voice.decode(audio=0):
            video.mux(track.encode(frame))
        for packets in (track.encode(None), pictures.encode(av.VideoFrame(64, 48, "yuv420p")), pictures.encode(None)):
            video.mux(packets)
    result, _ = run(place, path)
    assert "annual report" in result.structured_data["text"].lower()
    assert result.structured_data["metadata"]["mime_type"] == "video/x-matroska"


def test_without_a_language_there_is_a_note_that_the_local_recogniser_assumes_english(place):
    result, _ = run(place, recording(place))
    assert result.notes == (transcription.ASSUMED,)


def test_a_recording_without_speech_has_an_empty_transcript_and_a_note(place):
    result, _ = run(place, recording(place, sound=speech(seconds=2)), source_language="en")
    assert (result.structured_data["text"], result.structured_data["segments"]) == ("", [])
    assert result.notes == (transcription.NO_SPEECH,)
    assert result.counts == {"seconds": 2, "words": 0}


def test_another_language_than_english_is_refused_without_a_key(place):
    failed = failure(place, recording(place), source_language="de-AT")
    assert (failed.code, failed.retryable) == (ErrorCode.TRANSCRIPTION_UNAVAILABLE, False)
    assert "English" in failed.message
    assert "MISTRAL_API_KEY" in failed.message


def test_without_key_and_recogniser_a_job_fails_before_its_file_is_opened(place, monkeypatch):
    monkeypatch.setattr(listening.whisper, "PACKAGES", ("a_package_that_is_not_there",))
    failed = failure(place, Path("/nowhere/talk.wav"))
    assert (failed.code, failed.retryable) == (ErrorCode.TRANSCRIPTION_UNAVAILABLE, False)
    assert "set MISTRAL_API_KEY" in failed.message
    assert "piperoll[speech]" in failed.message


def test_with_a_key_mistral_transcribes_any_language(online, mistral):
    sent = len(mistral.requests(AUDIO))
    result, _ = run(online, recording(online, "talk.mp4", film(seconds=2)), source_language="de-AT")
    (request,) = mistral.requests(AUDIO)[sent:]
    assert request.parts["language"][1] == b"de"
    assert request.parts["file"][0] == "sound.mp3"
    data = result.structured_data
    assert (data["text"], data["language"], result.method) == (mistral.speech, "de", "voxtral-mini-latest")
    assert data["duration_s"] == pytest.approx(2, abs=0.1)
    assert result.notes == ()


def test_without_a_language_mistral_returns_segments(online, mistral):
    result, _ = run(online, recording(online, sound=speech(seconds=1)))
    assert result.structured_data["segments"] == [{"start": 0.0, "end": 1.0, "text": mistral.speech}]


def test_a_provider_that_fails_ends_the_run_with_its_code(online, mistral):
    mistral.then(AUDIO, refused(429, Retry_After="3"))
    failed = failure(online, recording(online, sound=speech(seconds=1)))
    assert (failed.code, failed.retryable, failed.retry_after_s) == (ErrorCode.RATE_LIMITED, True, 3)


@pytest.mark.parametrize(
    ("name", "sound", "code", "sentence"),
    [
        ("silent.mp4", film(seconds=1, sound=False), ErrorCode.PROCESSING_ERROR, "no sound track"),
        ("page.wav", b"<html>not found</html>", ErrorCode.PROCESSING_ERROR, "not a supported video or audio file"),
        ("paper.pdf", b"%PDF-1.7", ErrorCode.UNSUPPORTED_FILE_TYPE, "application/pdf"),
    ],
)
def test_a_file_without_sound_is_refused_with_a_sentence(place, name, sound, code, sentence):
    failed = failure(place, recording(place, name, sound), source_language="en")
    assert (failed.code, failed.retryable) == (code, False)
    assert sentence in failed.message


def test_an_upload_and_a_document_and_a_url_are_transcribed(online, site):
    voice = speech(seconds=1)
    claim = online.blobs.put_named("documents/doc-1/x", voice, "audio/wav")
    online.blobs.put_named("uploads/owner/file1/talk.wav", voice, "audio/wav")
    address = site.file("/transcription/talk.wav", voice, "audio/wav")
    document = ResolvedDocument(document_id="doc-1", name="minutes.wav", content=claim)
    local = replace(online, resolved=document, limits=replace(online.limits, networks=LOOPBACK))
    for asked, name in (
        ({"filename": "upload://file1/talk.wav"}, "talk.wav"),
        ({"document_id": "doc-1"}, "minutes.wav"),
        ({"url": address}, "talk.wav"),
    ):
        result, _ = run(replace(local, run=f"run-{'-'.join(asked)}"), **asked)
        assert result.structured_data["duration_s"] == pytest.approx(1, abs=0.1)
        assert result.structured_data["metadata"]["file_name"] == name


def test_a_document_that_is_gone_is_reported(online):
    claim = online.blobs.put_named("documents/doc-1/x", b"sound", "audio/wav")
    online.blobs.delete(["documents/doc-1/x"])
    document = ResolvedDocument(document_id="doc-1", name="minutes.wav", content=claim)
    assert failure(replace(online, resolved=document), document_id="doc-1").code is ErrorCode.FILE_NOT_FOUND
    assert failure(online, document_id="doc-1").code is ErrorCode.FILE_NOT_FOUND
