"""Mistral's embedding model through Mistral's SDK. No retries: the caller decides about them.

The SDK is imported at the first call, since the import takes a second and most processes do not need it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from piperoll.embeddings.contract import (
    EmbeddingMalformedError,
    EmbeddingRefusedError,
    EmbeddingTimeoutError,
    EmbeddingUnreachableError,
)
from piperoll.settings import Settings
from schemas.job_types.embedding import MISTRAL_MODEL

if TYPE_CHECKING:
    from ssl import SSLContext

CONNECT_TIMEOUT_S = 10.0
DIMENSIONS = 1024
BATCH_TEXTS = 64
BATCH_CHARS = 12_000  # a request may have 16,384 tokens, and a Chinese character can be one


@dataclass(frozen=True, slots=True)
class Remote:
    """The URL, key and timeout of Mistral's API. Not used without a key."""

    key: str = field(default="", repr=False)
    url: str = ""
    timeout_s: float = 300.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the values from the settings."""
        key = settings.mistral_api_key.get_secret_value().strip()
        return cls(key=key, url=settings.mistral_url, timeout_s=settings.provider_timeout_s)


class MistralModel:
    """An embedder (`piperoll.embeddings.contract.Embedder`). Reuse it: the first call loads all certificates."""

    model = MISTRAL_MODEL
    dimensions = DIMENSIONS

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `Embedder.embed`. One request per batch. Raises Embedding{Refused,Unreachable,Timeout,Malformed}Error."""
        return [vector for batch in batches(texts) for vector in self._request(batch)]

    @cached_property
    def _tls(self) -> "SSLContext":
        import httpx2

        return httpx2.create_ssl_context()

    def _request(self, texts: list[str]) -> list[list[float]]:
        import httpx2
        from mistralai.client import Mistral, errors

        remote = self._remote
        timeout = httpx2.Timeout(remote.timeout_s, connect=CONNECT_TIMEOUT_S)
        try:
            with httpx2.Client(timeout=timeout, verify=self._tls) as client:
                sdk = Mistral(
                    api_key=remote.key,
                    server_url=remote.url,
                    client=client,
                    async_client=httpx2.AsyncClient(verify=self._tls),  # unused; the default loads all certificates
                    timeout_ms=round(remote.timeout_s * 1000),
                )
                answer = sdk.embeddings.create(model=self.model, inputs=texts)
        except errors.ResponseValidationError as error:
            raise EmbeddingMalformedError("it is not the expected JSON") from error
        except errors.MistralError as error:
            raise EmbeddingRefusedError(error.status_code, error.body, error.headers) from error
        except httpx2.TimeoutException as error:
            raise EmbeddingTimeoutError(f"The provider did not answer within {remote.timeout_s:g} s.") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, errors.NoResponseError) as error:
            raise EmbeddingUnreachableError(f"The provider at {remote.url} could not be reached.") from error
        return _vectors(answer.data, len(texts))


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Split the texts, in order, into batches for one request; a single text may exceed the limit."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        if batch and (len(batch) == BATCH_TEXTS or chars + len(text) > BATCH_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(text)
        chars += len(text)
    if batch:
        yield batch


def _vectors(data: Sequence[Any], count: int) -> list[list[float]]:
    """Return the vectors in the order of the texts, normalised."""
    by_index = {one.index: one.embedding for one in data}
    found = [by_index.get(index) for index in range(count)]
    if any(vector is None or len(vector) != DIMENSIONS for vector in found):
        raise EmbeddingMalformedError(f"it does not contain a vector of {DIMENSIONS} numbers for each text")
    return [_unit(vector) for vector in found if vector]


def _unit(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(math.fsum(number * number for number in vector))
    if not length or not math.isfinite(length):
        raise EmbeddingMalformedError("one of its vectors has no finite norm above 0")
    return [number / length for number in vector]
