"""The real Mistral SDK against a local server that speaks its wire format: what works."""

import json
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from tests.support.files.pdf import pdf
from tests.support.runs.mistral_calls import failure, fill, providers
from tests.support.servers.mistral import (
    AUDIO,
    CHAT,
    FILES,
    OCR,
    MistralServer,
    completion,
    refused,
)


def test_ocr_gives_each_page_its_text_and_its_pictures(server: MistralServer, tmp_path: Path) -> None:
    percents: list[int] = []
    path = pdf(tmp_path / "three.pdf")
    answer = providers(server).ocr(path, "three.pdf", report=lambda percent, message: percents.append(percent))
    assert [page.index for page in answer.pages] == [0, 1, 2]
    assert "This is page 2." in answer.pages[1].markdown
    image = answer.pages[0].images[0]
    assert (image.id, image.box) == ("img-0.jpeg", (10, 20, 110, 220))
    assert image.content is not None
    assert image.content.startswith(b"\xff\xd8")
    assert answer.model == "mistral-ocr-latest"
    assert answer.usage_info == {"pages_processed": 3, "doc_size_bytes": path.stat().st_size}
    assert percents == [10, 30, 60, 75, 85]


def test_ocr_sends_the_file_with_its_purpose_and_leaves_nothing_there(server: MistralServer, tmp_path: Path) -> None:
    path = pdf(tmp_path / "three.pdf")
    answer = providers(server, ocr_model="reader").ocr(path.read_bytes(), "bytes.pdf", pages=[1, 2])
    parts = server.requests(FILES)[0].parts
    assert parts["file"] == ("bytes.pdf", path.read_bytes())
    assert parts["purpose"] == ("", b"ocr")
    asked = server.requests(OCR)[0].json
    assert (asked["model"], asked["pages"], asked["include_image_base64"]) == ("reader", [1, 2], True)
    assert [page.index for page in answer.pages] == [1, 2]
    assert server.files == {}
    assert answer.notes == ()


def test_the_raw_document_is_that_of_the_wire_with_its_pictures_or_without(
    server: MistralServer, tmp_path: Path
) -> None:
    answer = providers(server).ocr(pdf(tmp_path / "one.pdf", pages=1), "one.pdf")
    plain, whole = answer.document(), answer.document(include_images=True)
    assert set(plain["pages"][0]["images"][0]) == {"id", "top_left_x", "top_left_y", "bottom_right_x", "bottom_right_y"}
    assert whole["pages"][0]["images"][0]["image_base64"].startswith("data:image/jpeg;base64,")
    assert plain["usage_info"]["pages_processed"] == 1
    json.dumps(plain)


def test_a_file_that_cannot_be_deleted_there_is_reported_and_fails_nothing(
    server: MistralServer, tmp_path: Path
) -> None:
    server.then(f"{FILES}/file-0001", refused(500))
    answer = providers(server).ocr(pdf(tmp_path / "one.pdf", pages=1), "one.pdf")
    assert len(answer.notes) == 1
    assert "could not be deleted" in answer.notes[0]


def test_vision_sends_the_pictures_as_data_urls(server: MistralServer) -> None:
    assert providers(server).vision([b"one", b"two"], "What is this?") == "Text seen in 2 images"
    parts = server.requests(CHAT)[0].json["messages"][0]["content"]
    assert parts[0] == {"type": "text", "text": "What is this?"}
    assert parts[1]["image_url"]["url"] == "data:image/jpeg;base64,b25l"


def test_transcription_sends_the_audio_and_its_language(server: MistralServer, tmp_path: Path) -> None:
    audio = tmp_path / "talk.mp3"
    audio.write_bytes(b"sound")
    transcript = providers(server).transcribe(audio, "de")
    assert (transcript.text, transcript.language, transcript.segments) == (server.speech, "de", ())
    parts = server.requests(AUDIO)[0].parts
    assert parts["file"] == ("talk.mp3", b"sound")
    assert (parts["language"][1], parts["model"][1]) == (b"de", b"voxtral-mini-latest")
    (segment,) = providers(server).transcribe(audio).segments
    assert (segment.start, segment.end, segment.text) == (0.0, 1.0, server.speech)
    assert "language" not in server.requests(AUDIO)[1].parts


def test_a_chat_in_words_has_a_system_message(server: MistralServer) -> None:
    server.words = lambda system, user: f"{system} {user}!"
    assert providers(server).chat("Be brief.", "Hello") == "Be brief. Hello!"
    assert server.requests(CHAT)[0].json["model"] == "mistral-medium-latest"
    providers(server).chat("Be brief.", "Hello", model="another")
    assert server.requests(CHAT)[1].json["model"] == "another"


def test_json_that_is_broken_once_is_asked_for_again(server: MistralServer) -> None:
    server.then(CHAT, completion('{"summary": "cut of'), completion('{"summary": "whole"}'))
    assert fill(providers(server)) == {"summary": "whole"}
    assert server.requests(CHAT)[0].json["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    "text", ["Sure! Here it is.", "[1, 2]", '"text"', "", '{"a": NaN}', '{"a": "\\ud800"}', '{"a":' * 10_000]
)
def test_json_that_stays_broken_is_a_parse_error_after_one_retry(server: MistralServer, text: str) -> None:
    server.then(CHAT, completion(text), completion(text))
    error = failure(fill, providers(server))
    assert (error.code, error.retryable) == (ErrorCode.JSON_PARSE_ERROR, False)
    assert len(server.requests(CHAT)) == 2
