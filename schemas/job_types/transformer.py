"""The `transformer` job type (docs/contract/secretary.md#transformer-parameters)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.devana import Devana, describe_generated
from schemas.fields import Address, Label, NotBlank
from schemas.job_types.archives import Archive, Entry, json_entry
from schemas.job_types.declaration import JobType, plain_completion
from schemas.job_types.parameters import JobParameters
from schemas.job_types.values import Context, FieldName, Language, TemplateName

MAX_TEXT_CHARS = 100_000
MAX_TEMPLATE_BYTES = 1024 * 1024


def _small_template(value: str) -> str:
    if len(value.encode(errors="surrogatepass")) > MAX_TEMPLATE_BYTES:
        raise ValueError(f"must not have more than {MAX_TEMPLATE_BYTES:,} bytes")
    return value


TemplateContent = Annotated[str, NotBlank, AfterValidator(_small_template)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class TransformerParameters(JobParameters):
    """The `transformer` job: fill a template from a text or the readable text of a web page."""

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "source": ["text", "url"],
        "template": ["template", "template_content"],
        "provider": ["mistral", "local"],
    }

    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS), NotBlank] | None = None
    url: Address | None = None
    template: TemplateName | None = Field(default=None, description="the name of a template, such as MeetingMinutes")
    template_content: TemplateContent | None = None
    context: Context = Field(default_factory=dict)
    source_language: Language = "de"
    target_language: Language = "de"
    additional_field_descriptions: Annotated[dict[FieldName, Description], Field(max_length=100)] = Field(
        default_factory=dict, description="additional instructions for a field, or additional fields"
    )
    container_selector: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="a CSS selector: only the text of these parts of the page is read"
    )
    provider: Literal["mistral", "local"] | None = Field(
        default=None,
        description="what fills the fields: a chat model, or rules; by default the model if there is one",
    )
    model: Label | None = Field(default=None, description="a chat model other than the configured one")
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.text is None) == (self.url is None):
            raise ValueError("exactly one of text and url is required")
        if (self.template is None) == (self.template_content is None):
            raise ValueError("exactly one of template and template_content is required")
        if self.container_selector is not None and self.url is None:
            raise ValueError("container_selector requires url: it selects parts of a page")
        if self.model is not None and self.provider == "local":
            raise ValueError("model requires a chat model: the provider local has none")
        return self


def _completion(job_id: str, result: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "Template-Transformation abgeschlossen", plain_completion(job_id, result)[1]


def _archive(job_id: str, result: Mapping[str, Any]) -> Archive | None:
    """The text and the fields."""
    data = {**result["structured_data"], **result}
    text = data.get("transformed_text")
    if text is None:
        return None
    entries = (
        Entry("transformed.md", content=str(text).encode()),
        json_entry("template_fields.json", data.get("template_fields") or {}),
    )
    return Archive(f"{job_id}.zip", entries)


TRANSFORMER: Final = JobType(
    name="transformer",
    parameters=TransformerParameters,
    processor="services.worker.processors.transformer:process",
    reaches_network=lambda parameters: parameters.url is not None or parameters.provider != "local",
    aliases=("transformer_template",),
    steps={"loading_template": "Loading the template", "transforming_text": "Transforming the text"},
    devana=Devana("GENERATION", describe_generated, {"model": "method"}),
    completion=_completion,
    archive=_archive,
    cache_ttl="transformer_cache_ttl_s",
)
