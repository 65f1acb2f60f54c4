"""The registry of processors: one file a job type. Nothing heavy is imported before a processor is asked for."""

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
"""Every job type of this release and the module whose `process` does its work."""


def load(job_type: str) -> Processor:
    """The processor of a job type, imported at its first use. Raises KeyError for a type of another release."""
    return cast(Processor, import_module(MODULES[job_type]).process)


def load_all() -> None:
    """Imports every processor, so that no job waits for an import."""
    for job_type in MODULES:
        load(job_type)
