"""What a `transcription` job takes (contract 15d)."""

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from schemas.parameters.base import JobParameters, Label, Text
from schemas.parameters.extraction import SOURCES, require_one
from schemas.parameters.values import Address, Language


class TranscriptionParameters(JobParameters):
    """The `transcription` job: the words spoken in an audio or video file."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": list(SOURCES)}

    filename: Text | None = Field(default=None, description="a file the worker can read, or `upload://{file_id}`")
    url: Address | None = None
    document_id: Label | None = None
    source_language: Language | None = Field(default=None, description="spoken in it; by default it is recognised")
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        require_one(self, SOURCES)
        return self
