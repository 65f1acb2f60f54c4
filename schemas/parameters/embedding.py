"""What an `embedding` job takes (contract 15d)."""

from typing import Any, ClassVar

from pydantic import Field

from schemas.parameters.base import JobParameters, Label

LOCAL_MODEL = "all-MiniLM-L6-v2"
"""The model that ships with Piperoll."""
MISTRAL_MODEL = "mistral-embed"


class EmbeddingParameters(JobParameters):
    """The `embedding` job: a folder's texts are cut into chunks, and each gets a vector for the search."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"models": [LOCAL_MODEL, MISTRAL_MODEL]}

    folder_id: Label
    chunk_size: int | None = Field(default=None, ge=50, le=8000, description="characters; by default the folder's")
    model: Label | None = Field(default=None, description="by default Mistral's where there is a key, else the local")
