"""What a `transformer` job takes (contract 4c)."""

import json
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.parameters.base import JobParameters, Label

MAX_TEXT_CHARS = 100_000
MAX_TEMPLATE_BYTES = 1024 * 1024
MAX_CONTEXT_BYTES = 1024 * 1024


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # .port raises ValueError
        raise ValueError("must be an http or https address, such as https://example.com/article")
    if " " in value or not value.isprintable():
        raise ValueError("must not contain spaces, line ends or control characters")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _small_template(value: str) -> str:
    if len(value.encode(errors="surrogatepass")) > MAX_TEMPLATE_BYTES:
        raise ValueError(f"must not have more than {MAX_TEMPLATE_BYTES:,} bytes")
    return value


def _small_context(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > MAX_CONTEXT_BYTES:
        raise ValueError(f"must not have more than {MAX_CONTEXT_BYTES:,} bytes as JSON")
    return value


Address = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_address)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
TemplateName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=255)]
TemplateContent = Annotated[str, AfterValidator(_said), AfterValidator(_small_template)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=255)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class TransformerParameters(JobParameters):
    """The `transformer` job (contract 4c): a text, or the readable text of a web page, becomes a filled template."""

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "source": ["text", "url"],
        "template": ["template", "template_content"],
        "provider": ["mistral", "local"],
    }

    text: Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS), AfterValidator(_said)] | None = None
    url: Address | None = None
    template: TemplateName | None = Field(default=None, description="the name of a template, such as MeetingMinutes")
    template_content: TemplateContent | None = None
    context: Annotated[dict[str, Any], AfterValidator(_small_context)] = Field(default_factory=dict)
    source_language: Language = "de"
    target_language: Language = "de"
    additional_field_descriptions: Annotated[dict[FieldName, Description], Field(max_length=100)] = Field(
        default_factory=dict, description="more to say about a field, or fields beside those of the template"
    )
    container_selector: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        default=None, description="a CSS selector: only the text of these parts of the page is read"
    )
    provider: Literal["mistral", "local"] | None = Field(
        default=None,
        description="who fills the fields: a chat model, or rules; by default the model where there is one",
    )
    model: Label | None = Field(default=None, description="another chat model than the configured one")
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.text is None) == (self.url is None):
            raise ValueError("exactly one of text and url is required")
        if (self.template is None) == (self.template_content is None):
            raise ValueError("exactly one of template and template_content is required")
        if self.container_selector is not None and self.url is None:
            raise ValueError("container_selector selects parts of a page: it needs url")
        if self.model is not None and self.provider == "local":
            raise ValueError("model names a chat model: it does not go with the provider local")
        return self
