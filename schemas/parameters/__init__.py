"""What a job of each type takes: shapes only. Whether a file exists is for the worker to find out.

Strict on purpose: `"1"` is no number, `true` is no number, and a parameter that this release does not act on is
refused rather than ignored (contract 2b). What is supported stands in `SUPPORTED`, which error answers show.
"""

from schemas.parameters.base import JobParameters, Webhook
from schemas.parameters.embedding import EmbeddingParameters
from schemas.parameters.extraction import ExtractionParameters
from schemas.parameters.generation import GenerationParameters
from schemas.parameters.imports import ImportParameters
from schemas.parameters.noop import NoopParameters
from schemas.parameters.pdf import PdfParameters
from schemas.parameters.session import SessionParameters
from schemas.parameters.sync import SyncParameters
from schemas.parameters.transcription import TranscriptionParameters
from schemas.parameters.transformer import TransformerParameters

__all__ = [
    "ALIASES",
    "PARAMETERS",
    "EmbeddingParameters",
    "ExtractionParameters",
    "GenerationParameters",
    "ImportParameters",
    "JobParameters",
    "NoopParameters",
    "PdfParameters",
    "SessionParameters",
    "SyncParameters",
    "TranscriptionParameters",
    "TransformerParameters",
    "Webhook",
]

PARAMETERS: dict[str, type[JobParameters]] = {
    "pdf": PdfParameters,
    "session": SessionParameters,
    "transformer": TransformerParameters,
    "extraction": ExtractionParameters,
    "generation": GenerationParameters,
    "transcription": TranscriptionParameters,
    "embedding": EmbeddingParameters,
    "sync": SyncParameters,
    "import": ImportParameters,
    "noop": NoopParameters,
}
"""Every job type of this release and the shape of its parameters."""

ALIASES: dict[str, str] = {"transformer_template": "transformer"}
"""Other names by which clients may ask for a job type (contract 17, A12); facts and answers have the type's own."""
