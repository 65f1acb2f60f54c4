"""Failures of the Mistral API, over the real SDK."""

import socket
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ErrorCode
from services.worker.providers import Providers, ProviderSetup
from tests.support.runs.mistral_calls import Call, failure, fill, providers
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
    slow,
)
from tests.support.servers.web_server import Reply, json_reply
from tests.support.waiting import PATIENCE_S


def read(given: Providers) -> Any:
    return given.ocr(b"%PDF", "a.pdf")


def look(given: Providers) -> Any:
    return given.vision([b"jpeg"], "What is this?")


def listen(given: Providers) -> Any:
    return given.transcribe(Path(__file__))


def talk(given: Providers) -> Any:
    return given.chat("Be brief.", "Hello")


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
