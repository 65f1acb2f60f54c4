"""Embedding vectors of texts, for the embedding job and for the search: the models, and the chunking of texts.

    embedder = embedder_of(None, Remote.of(settings))
    vectors = embedder.embed(chunks(text, 500))

Heavy libraries are imported at the first `embed`. Vectors are neither stored nor compared here.
"""

from piperoll.embeddings.chunking import chunks
from piperoll.embeddings.contract import (
    Embedder,
    EmbeddingError,
    EmbeddingMalformedError,
    EmbeddingRefusedError,
    EmbeddingTimeoutError,
    EmbeddingUnavailableError,
    EmbeddingUnreachableError,
)
from piperoll.embeddings.local import LocalModel
from piperoll.embeddings.mistral import MistralModel, Remote
from schemas.job_types.embedding import LOCAL_MODEL, MISTRAL_MODEL

__all__ = [
    "LOCAL_MODEL",
    "MISTRAL_MODEL",
    "Embedder",
    "EmbeddingError",
    "EmbeddingMalformedError",
    "EmbeddingRefusedError",
    "EmbeddingTimeoutError",
    "EmbeddingUnavailableError",
    "EmbeddingUnreachableError",
    "Remote",
    "chunks",
    "embedder_of",
]


def embedder_of(model: str | None, remote: Remote) -> Embedder:
    """Return the embedder of a model, by default of Mistral's if it has a key. Raises EmbeddingUnavailableError."""
    match model or (MISTRAL_MODEL if remote.key else LOCAL_MODEL):
        case "all-MiniLM-L6-v2":
            return LocalModel()
        case "mistral-embed" if remote.key:
            return MistralModel(remote)
        case "mistral-embed":
            raise EmbeddingUnavailableError(f"The model {MISTRAL_MODEL} needs a key: set MISTRAL_API_KEY.")
        case unknown:
            raise EmbeddingUnavailableError(
                f"Unknown embedding model {unknown[:100]}: use {LOCAL_MODEL} or {MISTRAL_MODEL}."
            )
