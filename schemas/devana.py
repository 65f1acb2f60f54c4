"""How the Devana API's lists and the notifier's notices show jobs (docs/contract/devana.md#metadata, #mapping)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args
from urllib.parse import unquote, urlsplit

from schemas.media import UNKNOWN, media_type_of

Body = Mapping[str, Any]

TypeName = Literal["EXTRACTION", "EMBEDDING", "SYNC", "IMPORT", "TRANSCRIPTION", "GENERATION"]
TYPE_NAMES: Final[tuple[TypeName, ...]] = get_args(TypeName)
"""The types of the Devana API; a job of any other type is not shown."""

STATUSES: Final[Mapping[str, str]] = {
    "pending": "PENDING",
    "processing": "IN_PROGRESS",
    "completed": "DONE",
    "failed": "ERROR",
    "cancelled": "KILLED",
}
"""By the status of the fold. Endpoints receive KILLED; it is never listed."""
STATUS_NAMES: Final = tuple(STATUSES.values())
KILLED: Final = "KILLED"


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of a job from its facts, if known: numbers of JobCompleted, pages of JobProgress."""

    method: str | None = None
    pages: int | None = None
    bytes_in: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Devana:
    """How jobs of one type are shown: their type, and their metadata.

    `describe` returns the constant part of the metadata from the job's parameters and `resolved`; a None is left out.
    `measures` maps keys of the metadata to the fields of `Figures` that they show.
    """

    type: TypeName
    describe: Callable[[Body, Body], Body]
    measures: Mapping[str, Literal["method", "pages", "bytes_in"]] = field(default_factory=dict)

    def described(self, body: Body | None) -> dict[str, Any]:
        """The part of the metadata that follows from the parameters (None: erased). Small."""
        return _known(self.describe(_object(body, "parameters"), _object(body, "resolved")))

    def measured(self, described: Body, figures: Figures, error: str | None = None) -> dict[str, Any]:
        """The metadata: `described`, updated with the figures so far. Counts have their own names.

        `error` is the message of a failed job, which is also in the job's `error` (docs/contract/decisions.md#a21).
        """
        figured = {key: getattr(figures, name) for key, name in self.measures.items()}
        return {**described, **_known(figured), **figures.counts, **_known({"error": error})}


def target_of(job_id: str, target_id: str | None, batch_id: str | None) -> str:
    """The subject of a job: `target_id`, the batch, or the job (docs/contract/devana.md#mapping)."""
    return target_id or batch_id or job_id


def describe_file(parameters: Body, resolved: Body) -> dict[str, Any]:
    """Name, size and kind of the one file that a job reads, as far as they are known before it is read."""
    content = _object(resolved, "content")
    name = resolved.get("name") or _file_name(parameters)
    kind = media_type_of(name or "", content.get("media_type"))
    return {"fileName": name, "fileSize": content.get("size"), "mimeType": None if kind == UNKNOWN else kind}


def describe_generated(parameters: Body, resolved: Body) -> dict[str, Any]:
    """The inputs of a new text and how it is made."""
    return {
        "fileName": resolved.get("name"),
        "source": parameters.get("url"),
        "template": parameters.get("template"),
        "targetLanguage": parameters.get("target_language"),
        "model": parameters.get("model"),
    }


def _file_name(parameters: Body) -> str | None:
    """The last part of a path or address; a job's `filename` takes precedence over its `url`."""
    if isinstance(filename := parameters.get("filename"), str):
        return filename.replace("\\", "/").rstrip("/").rpartition("/")[2] or None
    if isinstance(url := parameters.get("url"), str):
        return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]) or None
    return None


def _object(body: Body | None, name: str) -> Body:
    found = (body or {}).get(name)
    return found if isinstance(found, Mapping) else {}


def _known(metadata: Body) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if value is not None}
