"""What a job of each type takes: shapes only. Whether a file exists is for the worker to find out.

Strict on purpose: `"1"` is no number, `true` is no number, and a parameter that this release does not act on is
refused rather than ignored (contract 2b). What is supported stands in `SUPPORTED`, which error answers show.
"""

from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=255)]
PageNumber = Annotated[int, Field(ge=1, le=1_000_000)]


class Webhook(BaseModel):
    """Where to tell the caller what becomes of the job (contract 7)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    token: Label | None = None
    job_id: Label | None = Field(default=None, alias="jobId")

    @model_validator(mode="after")
    def _is_http(self) -> Self:
        if " " in self.url or not self.url.isprintable():  # urlsplit would drop some of them without a word
            raise ValueError("a webhook's url must not contain spaces, line ends or control characters")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:  # .port raises ValueError
            raise ValueError("a webhook's url must be an http or https address, such as https://example.com/hook")
        return self


class JobParameters(BaseModel):
    """What jobs of every type take."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    webhook: Webhook | None = None
    target_id: Label | None = None
    priority: int = Field(default=5, ge=0, le=9)
    timeout_s: int = Field(default=3600, ge=1, le=86400)
    max_attempts: int = Field(default=3, ge=1, le=10)


class PdfParameters(JobParameters):
    """The `pdf` job (contract 4a): extract the text, page by page."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"extraction_method": ["native"], "source": ["filename"]}

    filename: Text
    extraction_method: Literal["native"] = "native"
    page_start: PageNumber | None = None
    page_end: PageNumber | None = None
    include_images: bool = False
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = [name for name in ("filename", "url") if raw.get(name) is not None]
        if len(given) != 1:
            raise ValueError("exactly one of filename and url is required")
        if given == ["url"]:
            raise ValueError("url is not supported yet: upload the file to /api/files and pass its filename")
        return {name: value for name, value in raw.items() if name != "url"}

    @model_validator(mode="after")
    def _ordered_range(self) -> Self:
        if self.page_start is not None and self.page_end is not None and self.page_start > self.page_end:
            raise ValueError("page_start must not be greater than page_end")
        return self


class NoopParameters(JobParameters):
    """The `noop` job, for benchmarks and tests: does as it is told. Off unless PIPEROLL_ENABLE_NOOP is set."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"behaviour": ["succeed", "fail", "crash", "loop", "allocate"]}

    behaviour: Literal["succeed", "fail", "crash", "loop", "allocate"] = "succeed"
    until_attempt: int | None = Field(
        default=None, ge=1, description="misbehave only in attempts below this number, then succeed"
    )
    sleep_s: float = Field(default=0.0, ge=0, le=3600)
    steps: int = Field(default=0, ge=0, le=1000, description="progress reports, evenly spread over sleep_s")
    error_code: Label | None = Field(default=None, description="the code to fail with")


PARAMETERS: dict[str, type[JobParameters]] = {"pdf": PdfParameters, "noop": NoopParameters}
"""Every job type of this release and the shape of its parameters."""
