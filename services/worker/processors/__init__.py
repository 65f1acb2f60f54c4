"""The processors, found by the paths that the job types declare. None is imported before it is asked for."""

from importlib import import_module
from typing import cast

from piperoll.job_types import job_types
from schemas.job_types.declaration import JobType
from services.worker.run.workspace import Processor


def load(job_type: JobType) -> Processor:
    """The processor of a job type, imported at its first use."""
    module, _, function = job_type.processor.partition(":")
    return cast(Processor, getattr(import_module(module), function))


def load_all() -> None:
    """Imports every processor, so that no job waits for an import."""
    for job_type in job_types():
        load(job_type)
