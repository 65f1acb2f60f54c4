"""The real Mistral SDK against a local server that speaks its wire format: what works, and every way of failing."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import Providers, ProviderSetup
from tests.support.files.pdf import pdf
from tests.support.servers.mistral import (
    AUDIO,
    CHAT,
    FILES,
    KEY,
    OCR,
    MistralServer,
    malformed,
    not_json,
    refused,
    says,
    slow,
)
from tests.support.servers.web_server import Reply, json_reply
from tests.support.waiting import PATIENCE_S

Call = Callable[[Providers], Any]


@pytest.fixture
def server() -> Iterator[MistralServer]:
    with MistralServer() as running:
        yield running


def providers(server: MistralServer, **changed: Any) -> Providers:
    return Providers(ProviderSetup(mistral_key=KEY, mistral_url=server.url).model_copy(update=changed))


def read(given: Providers) -> Any:
    return given.ocr(b"%PDF", "a.pdf")


def look(given: Providers) -> Any:
    return given.vision([b"jpeg"], "What is this?")


def listen(given: Providers) -> Any:
    return given.transcribe(Path(__file__))


def talk(given: Providers) -> Any:
    return given.chat("Be brief.", "Hello")


def fill(given: Providers) -> Any:
    return given.chat_json("Answer in JSON.", "Hello")


def failure(call: Call, given: Providers) -> ProcessingError:
    with pytest.raises(ProcessingError) as failed:
        call(given)
    assert KEY not in failed.value.message
    return failed.value


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
    server.then(CHAT, says('{"summary": "cut of'), says('{"summary": "whole"}'))
    assert fill(providers(server)) == {"summary": "whole"}
    assert server.requests(CHAT)[0].json["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    "text", ["Sure! Here it is.", "[1, 2]", '"text"', "", '{"a": NaN}', '{"a": "\\ud800"}', '{"a":' * 10_000]
)
def test_json_that_stays_broken_is_a_parse_error_after_one_retry(server: MistralServer, text: str) -> None:
    server.then(CHAT, says(text), says(text))
    error = failure(fill, providers(server))
    assert (error.code, error.retryable) == (ErrorCode.JSON_PARSE_ERROR, False)
    assert len(server.requests(CHAT)) == 2


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (read, ErrorCode.OCR_PROVIDER_UNAVAILABLE),
        (look, ErrorCode.OCR_PROVIDER_UNAVAILABLE),
        (listen, ErrorCode.OCR_PROVIDER_UNAVAILABLE),
        (talk, ErrorCode.TEMPLATE_TRANSFORMATION_ERROR),
        (fill, ErrorCode.TEMPLATE_TRANSFORMATION_ERROR),
    ],
)
class TestEveryCall:
    def test_fails_at_once_without_a_key(self, server: MistralServer, call: Call, code: ErrorCode) -> None:
        error = failure(call, Providers(ProviderSetup(mistral_url=server.url)))
        assert (error.code, error.retryable) == (code, False)
        assert "MISTRAL_API_KEY" in error.message

    def test_fails_for_good_with_a_key_that_is_refused(
        self, server: MistralServer, call: Call, code: ErrorCode
    ) -> None:
        error = failure(call, providers(server, mistral_key="stale"))
        assert (error.code, error.retryable) == (code, False)
        assert "401" in error.message

    def test_asks_for_another_attempt_when_there_were_too_many(
        self, server: MistralServer, call: Call, code: ErrorCode
    ) -> None:
        misbehave(server, refused(429, Retry_After="7"))
        error = failure(call, providers(server))
        assert (error.code, error.retryable, error.retry_after_s) == (ErrorCode.RATE_LIMITED, True, 7.0)

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_asks_for_another_attempt_when_the_provider_fails(
        self, server: MistralServer, call: Call, code: ErrorCode, status: int
    ) -> None:
        misbehave(server, refused(status, "overloaded"))
        error = failure(call, providers(server))
        assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)
        assert f"status {status}: overloaded" in error.message

    def test_does_not_repeat_what_the_provider_calls_wrong(
        self, server: MistralServer, call: Call, code: ErrorCode
    ) -> None:
        misbehave(server, refused(400, "no such model"))
        error = failure(call, providers(server))
        assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, False)
        assert "no such model" in error.message

    def test_does_not_wait_for_ever(self, server: MistralServer, call: Call, code: ErrorCode) -> None:
        misbehave(server, slow(10 * PATIENCE_S))
        error = failure(call, providers(server, timeout_s=0.2))
        assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)
        assert "within 0.2 s" in error.message

    def test_asks_for_another_attempt_when_the_connection_is_refused(
        self, server: MistralServer, call: Call, code: ErrorCode
    ) -> None:
        error = failure(call, providers(server, mistral_url=f"http://127.0.0.1:{closed_port()}"))
        assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)

    def test_asks_for_another_attempt_when_the_connection_breaks(
        self, server: MistralServer, call: Call, code: ErrorCode
    ) -> None:
        misbehave(server, Reply(abort=True))
        error = failure(call, providers(server))
        assert (error.code, error.retryable) == (ErrorCode.PROVIDER_ERROR, True)

    @pytest.mark.parametrize("reply", [malformed(), not_json(), json_reply([]), Reply(200, {}, b"hello")])
    def test_only_a_well_formed_answer_is_accepted(
        self, server: MistralServer, call: Call, code: ErrorCode, reply: Reply
    ) -> None:
        misbehave(server, reply)
        error = failure(call, providers(server))
        assert (error.code, error.retryable) == (ErrorCode.PROCESSING_ERROR, False)


@pytest.mark.parametrize(
    "answer",
    [
        {"pages": [], "model": "m", "usage_info": {"pages_processed": 0}},
        {
            "pages": [
                {
                    "index": 0,
                    "markdown": "",
                    "dimensions": None,
                    "images": [
                        {
                            "id": "img-0.jpeg",
                            "top_left_x": 0,
                            "top_left_y": 0,
                            "bottom_right_x": 0,
                            "bottom_right_y": 0,
                            "image_base64": "data:image/jpeg;base64,!!!!",
                        }
                    ],
                }
            ],
            "model": "m",
            "usage_info": {"pages_processed": 1},
        },
    ],
    ids=["no page", "a picture that is not base64"],
)
def test_ocr_without_pages_or_with_broken_pictures_is_refused(server: MistralServer, answer: Any) -> None:
    server.then(OCR, json_reply(answer))
    error = failure(read, providers(server))
    assert (error.code, error.retryable) == (ErrorCode.PROCESSING_ERROR, False)


def test_a_failed_ocr_leaves_no_document_there(server: MistralServer) -> None:
    server.then(OCR, refused(500))
    failure(read, providers(server))
    assert server.files == {}


def test_chat_and_vision_go_to_the_openai_compatible_server_when_one_is_set(server: MistralServer) -> None:
    with MistralServer() as other:
        other.words = lambda system, user: "from the other"
        both = providers(server, chat_url=f"{other.url}/v1", chat_key=KEY)
        assert talk(both) == "from the other"
        assert look(both) == "Text seen in 1 image"
        assert listen(both).text == server.speech
        assert server.requests(CHAT) == []
        alone = Providers(ProviderSetup(chat_url=other.url, chat_key=KEY))
        assert (alone.has_chat, alone.has_ocr) == (True, False)
        assert talk(alone) == "from the other"
        assert failure(read, alone).code is ErrorCode.OCR_PROVIDER_UNAVAILABLE


def misbehave(server: MistralServer, reply: Reply) -> None:
    """Whatever the next call asks first gets this answer."""
    for path in (FILES, CHAT, AUDIO):
        server.then(path, reply)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
