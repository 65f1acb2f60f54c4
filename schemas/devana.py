"""How jobs are told to clients of the Devana jobs API (contract 15a and 15c): names, target and metadata. Pure.

Lists of the API and hooks of the notifier say the same, so both take it from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from schemas.media import UNKNOWN, media_type_of
from schemas.parameters.pdf import ALIASES as PDF_ALIASES

Document = Mapping[str, Any]

TYPES: Final[Mapping[str, str]] = {
    "extraction": "EXTRACTION",
    "pdf": "EXTRACTION",
    "embedding": "EMBEDDING",
    "sync": "SYNC",
    "import": "IMPORT",
    "session": "IMPORT",
    "transcription": "TRANSCRIPTION",
    "generation": "GENERATION",
    "transformer": "GENERATION",
}
"""Every job type that these clients see. `noop` is none of them: it does no work, and they know no seventh type."""

STATUSES: Final[Mapping[str, str]] = {
    "pending": "PENDING",
    "processing": "IN_PROGRESS",
    "completed": "DONE",
    "failed": "ERROR",
    "cancelled": "KILLED",
}
"""By the status of the fold. KILLED is told to endpoints, and never listed."""
KILLED: Final = "KILLED"

PDF: Final = "application/pdf"
PDF_METHOD: Final = "native"  # contract 4a: what a pdf job does that does not say


@dataclass(frozen=True, slots=True)
class Figures:
    """What a job's facts say of its work, as far as they do: numbers of JobCompleted, pages of JobProgress."""

    method: str | None = None
    pages: int | None = None
    bytes_in: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def job_types_of(type_name: str) -> tuple[str, ...]:
    """The job types that are told as `type_name`; none for a name that there is not."""
    return tuple(job_type for job_type, told in TYPES.items() if told == type_name)


def target_of(job_id: str, target_id: str | None, batch_id: str | None) -> str:
    """What a job is about (contract 15c). A document's or folder's id stands in the fact's own `target_id`."""
    return target_id or batch_id or job_id


def metadata(job_type: str, document: Document | None, figures: Figures, error: str | None = None) -> dict[str, Any]:
    """The metadata of a job of one of `TYPES` (contract 15a); what is not known is left out.

    `document` is what JobCreated's parameters lead to, None once it was erased. `error` is the sentence that a failed
    job failed with: it stands here and in the job's `error` (contract A21).
    """
    return measured(job_type, described(job_type, document), figures, error)


def described(job_type: str, document: Document | None) -> dict[str, Any]:
    """The part of the metadata that the parameters document alone tells, and that therefore never changes. Small."""
    told = _DESCRIBED[TYPES[job_type]](job_type, _object(document, "parameters"), _object(document, "resolved"))
    return _known(told)


def measured(job_type: str, told: Document, figures: Figures, error: str | None = None) -> dict[str, Any]:
    """The metadata: what was `described`, and what the job's facts say so far, which goes before it."""
    figured = {name: getattr(figures, source) for name, source in _MEASURED[TYPES[job_type]].items()}
    return {**told, **_known(figured), **figures.counts, **_known({"error": error})}


def _extraction(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    file = _file(parameters, resolved)
    if job_type != "pdf":
        return file
    asked = parameters.get("extraction_method", PDF_METHOD)
    return {**file, "mimeType": PDF, "extractionMethod": PDF_ALIASES.get(asked, asked)}


def _embedding(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    return {
        "folderName": resolved.get("name"),
        "chunkSize": parameters.get("chunk_size") or resolved.get("chunk_size"),
        "model": parameters.get("model"),
    }


def _sync(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    return {"folderName": resolved.get("name"), "source": parameters.get("source")}


def _import(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    if job_type == "session":
        return {"fileName": parameters.get("filename"), "source": parameters.get("url")}
    items = parameters.get("items")
    return {"folderName": resolved.get("name"), "filesTotal": len(items) if isinstance(items, list) else None}


def _transcription(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    return {**_file(parameters, resolved), "language": parameters.get("source_language")}


def _generation(job_type: str, parameters: Document, resolved: Document) -> dict[str, Any]:
    return {
        "fileName": resolved.get("name"),
        "source": parameters.get("url"),
        "template": parameters.get("template"),
        "targetLanguage": parameters.get("target_language"),
        "model": parameters.get("model"),
    }


_DESCRIBED: Final = {
    "EXTRACTION": _extraction,
    "EMBEDDING": _embedding,
    "SYNC": _sync,
    "IMPORT": _import,
    "TRANSCRIPTION": _transcription,
    "GENERATION": _generation,
}
_MEASURED: Final[Mapping[str, Mapping[str, str]]] = {
    "EXTRACTION": {"fileSize": "bytes_in", "pageCount": "pages", "extractionMethod": "method"},
    "EMBEDDING": {"model": "method"},
    "SYNC": {},
    "IMPORT": {"pageCount": "pages"},
    "TRANSCRIPTION": {"fileSize": "bytes_in", "model": "method"},
    "GENERATION": {"model": "method"},
}
"""By key of the metadata, the field of `Figures` that it stands for. Counts stand under their own names."""


def _file(parameters: Document, resolved: Document) -> dict[str, Any]:
    """Name, size and kind of the one file that a job reads, as far as they are known before it is read."""
    content = _object(resolved, "content")
    name = resolved.get("name") or _file_name(parameters)
    kind = media_type_of(name or "", content.get("media_type"))
    return {"fileName": name, "fileSize": content.get("size"), "mimeType": None if kind == UNKNOWN else kind}


def _file_name(parameters: Document) -> str | None:
    """The last part of a path or of an address; a job's `filename` goes before its `url`."""
    if isinstance(filename := parameters.get("filename"), str):
        return filename.replace("\\", "/").rstrip("/").rpartition("/")[2] or None
    if isinstance(url := parameters.get("url"), str):
        return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or None
    return None


def _object(document: Document | None, name: str) -> Document:
    found = (document or {}).get(name)
    return found if isinstance(found, Mapping) else {}


def _known(told: Document) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
