"""What an embedder is, and how one fails. No model is named and none is loaded here."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Embedder(Protocol):
    """A model that makes vectors of texts. Blocks while it works: in an event loop, call it in a thread."""

    @property
    def model(self) -> str:
        """Its name, by which `piperoll.embeddings.embedder_of` finds it again: only its own vectors compare."""

    @property
    def dimensions(self) -> int:
        """How many numbers each vector has."""

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text, in order: nearness is the dot product. Raises EmbeddingError."""


class EmbeddingError(Exception):
    """No vectors came. The text is a sentence for whoever asked for them, without any of theirs."""


class EmbeddingUnavailableError(EmbeddingError):
    """The model cannot be used here: it is not known, not installed, or has no key. The sentence says what to do."""


class EmbeddingRefusedError(EmbeddingError):
    """The provider answered with an error status. `body` and `headers` are its own."""

    def __init__(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"The provider of embeddings answered with status {status}.")
        self.status = status
        self.body = body
        self.headers = headers


class EmbeddingUnreachableError(EmbeddingError):
    """The provider could not be reached, or broke the connection off."""


class EmbeddingTimeoutError(EmbeddingError):
    """The provider did not answer in time."""


class EmbeddingMalformedError(EmbeddingError):
    """The provider's answer does not hold what it must."""
