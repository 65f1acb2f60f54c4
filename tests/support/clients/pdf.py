"""Jobs of the type `pdf` as a client runs them."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.stacks.system import Json, System


def fresh(system: System, name: str = "document") -> Path:
    """A path of its own, so that no other test's result answers from the cache."""
    return system.files / f"{name}-{uuid4().hex}.pdf"


async def ended(system: System, path: Path, method: str, **parameters: Any) -> Json:
    given = {"filename": str(path), "extraction_method": method, "use_cache": False, **parameters}
    job_id = await system.create("pdf", **given)
    return await system.wait_for_end(job_id, timeout=120)


async def done(system: System, path: Path, method: str, **parameters: Any) -> Json:
    job = await ended(system, path, method, **parameters)
    assert job["status"] == "completed", job.get("error")
    return job
