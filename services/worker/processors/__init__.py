"""The registry of processors, one module per job type. A processor is imported at its first use."""

from importlib import import_module
from typing import cast

from services.worker.run.workspace import Processor

MODULES: dict[str, str] = {
    "embedding": "services.worker.processors.embedding",
    "extraction": "services.worker.processors.extraction.processor",
    "generation": "services.worker.processors.generation",
    "import": "services.worker.processors.imports",
    "noop": "services.worker.processors.noop",
    "pdf": "services.worker.processors.pdf.processor",
    "session": "services.worker.processors.session.processor",
    "sync": "services.worker.processors.sync.processor",
    "transcription": "services.worker.processors.transcription",
    "transformer": "services.worker.processors.transformer",
}
"""The job types of this release, each with the module whose `process` executes it."""


def load(job_type: str) -> Processor:
    """Return the processor of a job type. Raises KeyError for an unknown type."""
    return cast(Processor, import_module(MODULES[job_type]).process)


def load_all() -> None:
    """Import all processors, so that no job waits for an import."""
    for job_type in MODULES:
        load(job_type)
