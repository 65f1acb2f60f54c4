"""The interface of an embedder and its errors."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Embedder(Protocol):
    """A model that embeds texts. Its calls block: in an event loop, call it in a thread."""

    @property
    def model(self) -> str:
        """The name of the model. Only vectors of the same model are comparable."""

    @property
    def dimensions(self) -> int:
        """The length of each vector."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of norm 1 for each text, in order: similarity is the dot product. Raises EmbeddingError."""


class EmbeddingError(Exception):
    """Embedding failed. The message is for the client and contains none of the texts."""


class EmbeddingUnavailableError(EmbeddingError):
    """The model is unknown, not installed, or has no key. The message includes what to do."""


class EmbeddingRefusedError(EmbeddingError):
    """The provider answered with an error status; `body` and `headers` are those of the answer."""

    def __init__(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"The embedding provider answered with status {status}.")
        self.status = status
        self.body = body
        self.headers = headers


class EmbeddingUnreachableError(EmbeddingError):
    """The provider could not be reached, or the connection broke."""


class EmbeddingTimeoutError(EmbeddingError):
    """The provider did not answer in time."""


class EmbeddingMalformedError(EmbeddingError):
    """The provider's answer is invalid."""
