"""Which jobs are the same work: which parameters shape a result, and which only say how to make it.

Pure. The cache key (services.worker) adds to this the content that was read; the fingerprint here is known before.
"""

import hashlib
import json
from typing import Any

from schemas.parameters import JobParameters

CONDUCT = frozenset(
    {"webhook", "target_id", "priority", "timeout_s", "max_attempts", "use_cache", "force_refresh", "wait_ms"}
)
"""When, for whom and how to run; the result is the same for every value (contract 10)."""


def shaping(parameters: JobParameters) -> dict[str, Any]:
    """The parameters that shape a result, with their defaults, as JSON."""
    return parameters.model_dump(mode="json", exclude=set(CONDUCT))


def reads_cache(parameters: JobParameters) -> bool:
    """Whether an earlier result will do (contract 10). Job types without `use_cache` are never cached."""
    return writes_cache(parameters) and not parameters.asked("force_refresh")


def writes_cache(parameters: JobParameters) -> bool:
    """Whether the result may be kept for later jobs."""
    return bool(parameters.asked("use_cache"))


def work_sha256(job_type: str, parameters: JobParameters) -> str | None:
    """The fingerprint by which jobs of one owner wait for each other; None for one that never waits."""
    if not reads_cache(parameters):
        return None
    return digest({"job_type": job_type, "parameters": shaping(parameters)})


def digest(value: dict[str, Any]) -> str:
    """The hash of a value's canonical JSON: sorted keys, no blanks. Raises TypeError for a value that is not JSON."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
