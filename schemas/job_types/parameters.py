"""Parameters of all job types, and the job's webhook (docs/contract/secretary.md#parameters, #webhooks)."""

from typing import Any, Final, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.fields import MAX_HOOK_URL_BYTES, HookAddress, Label, hook_address
from schemas.fields import Text as Text  # job types of other distributions import it from here

JOB_ID_PLACE: Final = "{jobId}"
"""Stands for the caller's id of the job in the url of its webhook (docs/contract/secretary.md#webhooks)."""


class WebhookReceiver(BaseModel):
    """The address and the token of a receiver of webhooks (docs/contract/secretary.md#webhooks)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    url: HookAddress = Field(description="http or https, not private")
    token: Label | None = Field(default=None, description="sent as Authorization and X-Callback-Token")

    @model_validator(mode="after")
    def _normalise_url(self) -> Self:
        """Errors of the url are about the whole webhook, as clients know them."""
        if (url := hook_address(self.url)) != self.url:
            object.__setattr__(self, "url", url)  # the model is frozen
        return self


class Webhook(WebhookReceiver):
    """The receiver of the job's events (docs/contract/secretary.md#webhooks)."""

    job_id: Label | None = Field(default=None, alias="jobId")

    @model_validator(mode="after")
    def _fits_with_its_id(self) -> Self:
        if self.job_id is not None and JOB_ID_PLACE in self.url:
            url = self.url.replace(JOB_ID_PLACE, quote(self.job_id, safe=""))
            if len(url) > MAX_HOOK_URL_BYTES:
                raise ValueError(f"the url must not have more than {MAX_HOOK_URL_BYTES:,} bytes with the jobId in it")
        return self


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
