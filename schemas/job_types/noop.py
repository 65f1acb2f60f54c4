"""The `noop` job type."""

from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from schemas.fields import Label
from schemas.job_types.declaration import JobType
from schemas.job_types.parameters import JobParameters


class NoopParameters(JobParameters):
    """The `noop` job, for benchmarks and tests; its parameters control it. Off unless PIPEROLL_ENABLE_NOOP is set."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"behaviour": ["succeed", "fail", "crash", "loop", "allocate"]}

    behaviour: Literal["succeed", "fail", "crash", "loop", "allocate"] = "succeed"
    until_attempt: int | None = Field(
        default=None, ge=1, description="misbehave only in attempts below this number, then succeed"
    )
    sleep_s: float = Field(default=0.0, ge=0, le=3600)
    steps: int = Field(default=0, ge=0, le=1000, description="progress reports, evenly spread over sleep_s")
    use_cache: bool = False
    force_refresh: bool = False
    error_code: Label | None = Field(default=None, description="the code to fail with")


NOOP: Final = JobType(
    name="noop",
    parameters=NoopParameters,
    processor="services.worker.processors.noop:process",
    enabled_by="enable_noop",
)
"""It has no Devana type: it does no work, and Devana clients know six types only."""
