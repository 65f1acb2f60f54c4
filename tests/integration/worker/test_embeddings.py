"""Embeddings by the real Mistral SDK against a local server: what works, and every way of failing."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from piperoll.embeddings.mistral import BATCH_CHARS, BATCH_TEXTS, batches
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import Providers, ProviderSetup
from tests.support.servers.mistral import EMBEDDINGS, KEY, MistralServer, malformed, not_json, refused, slow
from tests.support.servers.web_server import json_reply
from tests.support.waiting import PATIENCE_S

USAGE = {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}


@pytest.fixture
def server() -> Iterator[MistralServer]:
    with MistralServer() as running:
        yield running


def embed(server: MistralServer, *texts: str, **changed: Any) -> list[list[float]]:
    setup = ProviderSetup(mistral_key=KEY, mistral_url=server.url).model_copy(update=changed)
    return Providers(setup).embedder(None).embed(texts or ("text",))


def failure(server: MistralServer, **changed: Any) -> ProcessingError:
    with pytest.raises(ProcessingError) as failed:
        embed(server, **changed)
    assert KEY not in failed.value.message
    return failed.value


def answer(*vectors: list[float] | None) -> Any:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    return json_reply({"id": "e", "object": "list", "model": "mistral-embed", "data": data, "usage": USAGE})


def test_each_text_gets_a_vector_of_length_1_in_its_order(server: MistralServer) -> None:
    soil, rain, both = embed(server, "soil", "rain", "soil rain")
    assert len(soil) == 1024
    assert sum(one * one for one in both) == pytest.approx(1)
    assert sum(a * b for a, b in zip(soil, both, strict=True)) == pytest.approx(0.5**0.5)
    assert sum(a * b for a, b in zip(soil, rain, strict=True)) == 0
    asked = server.requests(EMBEDDINGS)[0].json
    assert (asked["model"], asked["input"]) == ("mistral-embed", ["soil", "rain", "soil rain"])


def test_many_texts_go_in_several_requests(server: MistralServer) -> None:
    texts = [f"word{number}" for number in range(BATCH_TEXTS + 1)]
    assert len(embed(server, *texts)) == len(texts)
    assert [len(one.json["input"]) for one in server.requests(EMBEDDINGS)] == [BATCH_TEXTS, 1]


def test_a_request_has_so_many_characters_at_most_and_no_text_is_lost() -> None:
    texts = ["a" * (BATCH_CHARS - 10), "b" * 10, "c", "d" * (BATCH_CHARS + 1), "e"]
    made = list(batches(texts))
    assert [text for batch in made for text in batch] == texts
    assert [len(batch) for batch in made] == [2, 1, 1, 1]
    assert list(batches([])) == []


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (refused(401), ErrorCode.EMBEDDING_UNAVAILABLE, False),
        (refused(403), ErrorCode.EMBEDDING_UNAVAILABLE, False),
        (refused(429, Retry_After="7"), ErrorCode.RATE_LIMITED, True),
        (refused(400, "too many tokens"), ErrorCode.PROVIDER_ERROR, False),
        (refused(500), ErrorCode.PROVIDER_ERROR, True),
        (malformed(), ErrorCode.PROCESSING_ERROR, False),
        (not_json(), ErrorCode.PROCESSING_ERROR, False),
        (answer([1.0, 2.0]), ErrorCode.PROCESSING_ERROR, False),
        (answer(None), ErrorCode.PROCESSING_ERROR, False),
        (answer([0.0] * 1024), ErrorCode.PROCESSING_ERROR, False),
        (answer(), ErrorCode.PROCESSING_ERROR, False),
    ],
    ids=["401", "403", "429", "400", "500", "other", "no-json", "short", "null", "zero", "none"],
)
def test_a_failure_has_its_code_and_whether_it_is_retryable(
    server: MistralServer, reply: Any, code: ErrorCode, retryable: bool
) -> None:
    server.then(EMBEDDINGS, reply)
    failed = failure(server)
    assert (failed.code, failed.retryable) == (code, retryable)
    assert failed.retry_after_s == (7 if code is ErrorCode.RATE_LIMITED else None)
    assert len(server.requests(EMBEDDINGS)) == 1


def test_a_slow_answer_is_given_up(server: MistralServer) -> None:
    server.then(EMBEDDINGS, slow(10 * PATIENCE_S))
    failed = failure(server, timeout_s=0.2)
    assert (failed.code, failed.retryable, failed.error_type) == (ErrorCode.PROVIDER_ERROR, True, "ProviderTimeout")


def test_a_server_that_is_away_is_tried_again(server: MistralServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        failed = failure(server, mistral_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    assert (failed.code, failed.retryable) == (ErrorCode.PROVIDER_ERROR, True)
    assert "could not be reached" in failed.message


def test_without_a_key_its_model_is_unavailable() -> None:
    with pytest.raises(ProcessingError) as failed:
        Providers().embedder("mistral-embed")
    assert (failed.value.code, failed.value.retryable) == (ErrorCode.EMBEDDING_UNAVAILABLE, False)
    assert "MISTRAL_API_KEY" in failed.value.message
