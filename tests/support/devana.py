"""The job types of the Devana API, and a document for its jobs."""

from schemas.claims import Claim
from schemas.devana import TYPE_NAMES
from schemas.job_types.registry import OWN

CLAIM = Claim(uri="documents/doc-1/a", sha256="a" * 64, size=2_456_789, media_type="application/pdf")
TYPES = {job_type: name for name in TYPE_NAMES for job_type in OWN.devana(name)}
