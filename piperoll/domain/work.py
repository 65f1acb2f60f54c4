"""Which jobs are the same work: what of their parameters shapes a result, and what only says how to come by it.

Pure. The cache key (services.worker) adds to this the content that was read; the fingerprint here is known before.
"""

import hashlib
import json
from typing import Any

from schemas.job_types.parameters import JobParameters

CONDUCT = frozenset(
    {"webhook", "target_id", "priority", "timeout_s", "max_attempts", "use_cache", "force_refresh", "wait_ms"}
)
"""When, for whom and how to run; whatever it says, the result is the same (contract 10)."""


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
    """The fingerprint by which jobs of one owner wait for each other; None for one that waits for nobody."""
    if not reads_cache(parameters):
        return None
    return digest({"job_type": job_type, "parameters": shaping(parameters)})


def digest(document: dict[str, Any]) -> str:
    """The hash of a document's canonical JSON: sorted keys, no blanks. Raises TypeError for what is no JSON."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
