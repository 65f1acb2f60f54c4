"""The `embedding` job type (docs/contract/devana.md#job-types)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from schemas.devana import Devana
from schemas.fields import Label
from schemas.job_types.declaration import JobType, Makes, Named
from schemas.job_types.parameters import JobParameters

LOCAL_MODEL = "all-MiniLM-L6-v2"
"""The model that ships with Piperoll."""
MISTRAL_MODEL = "mistral-embed"


class EmbeddingParameters(JobParameters):
    """The `embedding` job: split a folder's texts into chunks, and compute a vector of each for the search."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"models": [LOCAL_MODEL, MISTRAL_MODEL]}

    folder_id: Label
    chunk_size: int | None = Field(default=None, ge=50, le=8000, description="characters; by default the folder's")
    model: Label | None = Field(default=None, description="by default Mistral's if there is a key, else the local")


def _describe(parameters: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "folderName": resolved.get("name"),
        "chunkSize": parameters.get("chunk_size") or resolved.get("chunk_size"),
        "model": parameters.get("model"),
    }


EMBEDDING: Final = JobType(
    name="embedding",
    parameters=EmbeddingParameters,
    processor="services.worker.processors.embedding:process",
    reaches_network=lambda parameters: parameters.model != LOCAL_MODEL,  # without a key it is the local one
    steps={"embedding": "Computing the vectors of the chunks"},
    names=Named.FOLDER_TEXTS,
    makes=Makes.INDEX,
    devana=Devana("EMBEDDING", _describe, {"model": "method"}),
)
