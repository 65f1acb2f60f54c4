"""What a job of each type takes: shapes only. Whether a file exists is for the worker to find out.

Strict on purpose: `"1"` is no number, `true` is no number, and a parameter that this release does not act on is
refused rather than ignored (contract 2b). What is supported stands in `SUPPORTED`, which error answers show.
"""

from schemas.parameters.base import JobParameters, Webhook
from schemas.parameters.noop import NoopParameters
from schemas.parameters.pdf import PdfParameters

__all__ = ["PARAMETERS", "JobParameters", "NoopParameters", "PdfParameters", "Webhook"]

PARAMETERS: dict[str, type[JobParameters]] = {"pdf": PdfParameters, "noop": NoopParameters}
"""Every job type of this release and the shape of its parameters."""
