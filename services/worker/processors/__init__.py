"""The processors, by the paths that the job types declare. A processor is imported at its first use."""

from importlib import import_module
from typing import cast

from piperoll.job_types import job_types
from schemas.job_types.declaration import JobType
from services.worker.run.workspace import Processor


def load(job_type: JobType) -> Processor:
    """Return the processor of a job type."""
    module, _, function = job_type.processor.partition(":")
    return cast(Processor, getattr(import_module(module), function))


def load_all() -> None:
    """Import all processors, so that no job waits for an import."""
    for job_type in job_types():
        load(job_type)
