"""The `generation` job type (docs/contract/devana.md#job-types)."""

from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.devana import Devana, describe_generated
from schemas.fields import Label
from schemas.job_types.declaration import JobType, Named, open_to_network
from schemas.job_types.parameters import JobParameters, require_one
from schemas.job_types.values import Language, TemplateName

MAX_TEXT_CHARS = 100_000
MAX_PROMPT_CHARS = 20_000


class GenerationParameters(JobParameters):
    """The `generation` job: a new text from a text or a document, by a template or a prompt."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"sources": ["text", "document_id"], "by": ["template", "prompt"]}

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_CHARS)] | None = None
    document_id: Label | None = Field(default=None, description="whose extracted text is used")
    template: TemplateName | None = None
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARS)] | None = None
    target_language: Language | None = None
    model: Label | None = Field(default=None, description="another chat model than the configured one")
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        require_one(self, ("text", "document_id"))
        require_one(self, ("template", "prompt"))
        return self


GENERATION: Final = JobType(
    name="generation",
    parameters=GenerationParameters,
    processor="services.worker.processors.generation:process",
    reaches_network=open_to_network,
    steps={"loading_template": "Loading the template", "generating_text": "Writing the text"},
    names=Named.DOCUMENT_TEXT,
    devana=Devana("GENERATION", describe_generated, {"model": "method"}),
)
