"""Which jobs are the same work: the parameters that affect a result, as opposed to how it is computed. Pure.

The cache key (services.worker) also includes the content that was read; the fingerprint here is known before.
"""

import hashlib
import json
from typing import Any

from schemas.job_types.parameters import JobParameters

CONDUCT = frozenset(
    {"webhook", "target_id", "priority", "timeout_s", "max_attempts", "use_cache", "force_refresh", "wait_ms"}
)
"""When, for whom and how to run; they do not affect the result (docs/contract/secretary.md#cache)."""


def shaping(parameters: JobParameters) -> dict[str, Any]:
    """The parameters that affect a result, with their defaults, as JSON."""
    return parameters.model_dump(mode="json", exclude=set(CONDUCT))


def reads_cache(parameters: JobParameters) -> bool:
    """Whether an earlier result may be used (docs/contract/secretary.md#cache); never without `use_cache`."""
    return writes_cache(parameters) and not parameters.asked("force_refresh")


def writes_cache(parameters: JobParameters) -> bool:
    """Whether the result may be kept for later jobs."""
    return bool(parameters.asked("use_cache"))


def work_sha256(job_type: str, parameters: JobParameters) -> str | None:
    """The fingerprint by which jobs of one owner wait for each other; None for a job that never waits."""
    if not reads_cache(parameters):
        return None
    return digest({"job_type": job_type, "parameters": shaping(parameters)})


def digest(value: dict[str, Any]) -> str:
    """The hash of a value's canonical JSON: sorted keys, no blanks. Raises TypeError for a value that is not JSON."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
