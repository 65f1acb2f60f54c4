"""The kernel's embedding models as a run uses them: what they raise is a ProcessingError."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from piperoll.clock import utc_now
from piperoll.embeddings import (
    EmbeddingError,
    EmbeddingMalformedError,
    EmbeddingRefusedError,
    EmbeddingTimeoutError,
    EmbeddingUnavailableError,
    EmbeddingUnreachableError,
    Remote,
    embedder_of,
)
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.providers import failures
from services.worker.providers.setup import ProviderSetup


class Embeddings:
    """An embedder (`piperoll.embeddings.Embedder`), local or at the provider.

    Raises ProcessingError: EMBEDDING_UNAVAILABLE for a model that is unknown or has no valid key; from `embed` also
    RATE_LIMITED, PROVIDER_ERROR, PROCESSING_ERROR; MemoryError.
    """

    def __init__(self, model: str | None, setup: ProviderSetup) -> None:
        self._remote = Remote(setup.mistral_key, setup.mistral_url, setup.timeout_s)
        with self._calling():
            self._embedder = embedder_of(model, self._remote)

    @property
    def model(self) -> str:
        """See `Embedder.model`."""
        return self._embedder.model

    @property
    def dimensions(self) -> int:
        """See `Embedder.dimensions`."""
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `Embedder.embed`."""
        with self._calling():
            return self._embedder.embed(texts)

    @contextmanager
    def _calling(self) -> Iterator[None]:
        try:
            yield
        except EmbeddingError as error:
            raise self._failure(error) from error

    def _failure(self, error: EmbeddingError) -> ProcessingError:
        match error:
            case EmbeddingUnavailableError():
                return ProcessingError(ErrorCode.EMBEDDING_UNAVAILABLE, str(error))
            case EmbeddingRefusedError():
                return failures.refused(
                    error.status, error.body, error.headers, ErrorCode.EMBEDDING_UNAVAILABLE, utc_now()
                )
            case EmbeddingTimeoutError():
                return failures.too_slow(self._remote.timeout_s)
            case EmbeddingUnreachableError():
                return failures.unreachable(self._remote.url, error)
            case EmbeddingMalformedError():
                return failures.malformed(str(error))
            case _:
                return ProcessingError(ErrorCode.PROVIDER_ERROR, str(error))
