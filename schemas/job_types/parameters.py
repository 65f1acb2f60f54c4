"""Parameters of all job types, and the job's webhook (docs/contract/secretary.md#parameters, #webhooks)."""

from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
MAX_URL_CHARS: Final = 2048
"""Of the url of a webhook."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class WebhookReceiver(BaseModel):
    """The address and the token of a receiver of webhooks (docs/contract/secretary.md#webhooks)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_URL_CHARS)] = Field(
        description="http or https, not private"
    )
    token: Label | None = Field(default=None, description="sent as Authorization and X-Callback-Token")

    @model_validator(mode="after")
    def _is_http(self) -> Self:
        if " " in self.url or not self.url.isprintable():  # urlsplit drops some of them without an error
            raise ValueError("a webhook's url must not contain spaces, line ends or control characters")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # .port raises ValueError
            raise ValueError("a webhook's url must be an http or https address, such as https://example.com/hook")
        return self


class Webhook(WebhookReceiver):
    """The receiver of the job's events (docs/contract/secretary.md#webhooks)."""

    job_id: Label | None = Field(default=None, alias="jobId")


class JobParameters(BaseModel):
    """Parameters of jobs of every type."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    webhook: Webhook | None = None
    target_id: Label | None = None
    priority: int = Field(default=5, ge=0, le=9)
    timeout_s: int = Field(default=3600, ge=1, le=86400)
    max_attempts: int = Field(default=3, ge=1, le=10)

    @property
    def about_id(self) -> str | None:
        """The subject of the job: the given `about`, else the document or folder that it names."""
        named = self.target_id or self.asked("document_id") or self.asked("folder_id")
        return str(named) if named else None

    def asked(self, name: str) -> Any:
        """The parameter of this name; None if the job type does not have it (pydantic's own lookup is slow)."""
        return self.__dict__.get(name)


SOURCES = ("filename", "url", "document_id")
"""The parameters that name the one file that a job reads."""


def require_one(parameters: JobParameters, names: tuple[str, ...]) -> None:
    """Raises ValueError unless exactly one of `names` is given."""
    if sum(getattr(parameters, name) is not None for name in names) != 1:
        raise ValueError(f"exactly one of {', '.join(names[:-1])} and {names[-1]} is required")
