"""The `transcription` job type (docs/contract/devana.md#job-types)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from schemas.devana import Devana, describe_file
from schemas.fields import Address, FileName, Label
from schemas.job_types.declaration import JobType, Makes, Named, open_to_network
from schemas.job_types.parameters import SOURCES, JobParameters, require_one
from schemas.job_types.values import Language


class TranscriptionParameters(JobParameters):
    """The `transcription` job: the words spoken in an audio or video file."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": list(SOURCES)}

    filename: FileName | None = Field(default=None, description="a file the worker can read, or `upload://{file_id}`")
    url: Address | None = None
    document_id: Label | None = None
    source_language: Language | None = Field(default=None, description="the spoken language; recognised by default")
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        require_one(self, SOURCES)
        return self


def _describe(parameters: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    return {**describe_file(parameters, resolved), "language": parameters.get("source_language")}


TRANSCRIPTION: Final = JobType(
    name="transcription",
    parameters=TranscriptionParameters,
    processor="services.worker.processors.transcription:process",
    reaches_network=open_to_network,  # of the provider, if there is one
    steps={"downloading_media": "Downloading the media", "transcribing": "Transcribing the speech"},
    names=Named.DOCUMENT,
    reads=("audio/", "video/"),
    makes=Makes.TEXT,
    devana=Devana("TRANSCRIPTION", _describe, {"fileSize": "bytes_in", "model": "method"}),
)
