"""The cache of results by content (docs/contract/secretary.md#cache).

An entry at `cache/{owner}/{key}` names a run; the content is in that run's folder, so erasing its job removes it from
the cache. A marker at `{job_id}/cache/{owner}/{key}` names the entries of a job for the eraser. An entry whose source
was erased does not count. Entries are never shared across owners.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from piperoll.clock import Clock
from piperoll.domain.work import digest, reads_cache, shaping, writes_cache
from piperoll.store.blobs import BlobMissingError, Blobs, ClaimMismatchError
from schemas.claims import Claim
from schemas.job_types.parameters import JobParameters
from services.worker.run.workspace import Result

FOLDER = "cache"
VERSION = 1
"""Increased when entries or keys change: older entries are then not found, and expire."""
RESULT = "result.json"


class CacheEntry(BaseModel):
    """An entry: the run to copy, and the names of its files."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    run: str
    made_at: datetime
    result: Claim
    files: tuple[str, ...]
    pages: int | None = None
    bytes_in: int | None = Field(default=None, ge=0)
    method: str | None = None
    counts: dict[str, int] = {}


def key_of(
    job_type: str, parameters: JobParameters, shaped_by: Mapping[str, Any], without: Collection[str] = ()
) -> str:
    """The key of the work: a hash of all that affects its result."""
    asked = {name: value for name, value in shaping(parameters).items() if name not in without}
    return digest({"version": VERSION, "job_type": job_type, "parameters": asked, "shaped_by": dict(shaped_by)})


def markers(job_id: str) -> str:
    """The folder of the markers of a job."""
    return f"{job_id}/{FOLDER}"


def entry_of(job_id: str, marker: str) -> str:
    """The uri of a marker's entry."""
    return marker.removeprefix(f"{job_id}/")


def parse_entry(content: bytes) -> CacheEntry | None:
    """Parse an entry; None for an invalid one, which counts as missing."""
    try:
        return CacheEntry.model_validate_json(content)
    except ValidationError:
        return None


class Cache:
    """The cache for one run: `recall` is called once, then `remember` once. `on_key` gets the key of the work."""

    def __init__(
        self,
        blobs: Blobs,
        clock: Clock,
        job_type: str,
        owner: str,
        job_id: str,
        run: str,
        ttl_s: float,
        on_key: Callable[[str], None] | None = None,
    ) -> None:
        self._blobs = blobs
        self._clock = clock
        self._job_type = job_type
        self._owner = owner
        self._job_id = job_id
        self._run = run
        self._ttl = timedelta(seconds=ttl_s)
        self._on_key = on_key
        self._uri: str | None = None

    def recall(self, parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any) -> Result | None:
        """See `services.worker.run.workspace.RecallResult`."""
        key = key_of(self._job_type, parameters, shaped_by, without)
        if self._on_key is not None:
            self._on_key(key)
        return self.look_up(key, reads_cache(parameters)) if writes_cache(parameters) else None

    def look_up(self, key: str, reads: bool) -> Result | None:
        """As `recall`, by the key of the work; with `reads` false nothing is found, and the result is remembered."""
        self._uri = f"{FOLDER}/{self._owner}/{key}"
        if not reads:
            return None
        kept = self._kept(self._uri)
        if kept is None or self._clock() - kept.made_at > self._ttl:
            return None
        return self._copied(kept)

    def remember(self, result: Result, body: Claim) -> None:
        """Keep a finished run's result for later ones, if its parameters allow it. Raises BlobStoreError."""
        if self._uri is None or result.from_cache or not result.cacheable:
            return
        folder = f"{self._job_id}/{self._run}/"
        names = sorted(uri.removeprefix(folder) for uri in self._blobs.list(folder))
        kept = CacheEntry(
            job_id=self._job_id,
            run=self._run,
            made_at=self._clock(),
            result=body,
            files=tuple(name for name in names if name != RESULT),
            pages=result.pages,
            bytes_in=result.bytes_in,
            method=result.method,
            counts=dict(result.counts),
        )
        # The marker first: the eraser must find every entry.
        self._blobs.put_named(f"{self._job_id}/{self._uri}", b"", "application/octet-stream")
        self._blobs.replace(self._uri, kept.model_dump_json().encode())

    def _kept(self, uri: str) -> CacheEntry | None:
        try:
            return parse_entry(self._blobs.get(uri))
        except BlobMissingError:
            return None

    def _copied(self, kept: CacheEntry) -> Result | None:
        """The kept result as this run's, its files copied; None if they were erased, or are being erased."""
        names = [(f"{kept.job_id}/{kept.run}/{name}", self._own_name(name, kept)) for name in kept.files]
        try:
            content = self._blobs.get_claimed(kept.result)
            self._blobs.copy(names)
        except (BlobMissingError, ClaimMismatchError):
            self._blobs.delete([target for _, target in names])
            return None
        body = self._own(from_json(content), kept)
        return Result.restored(body, kept.pages, kept.bytes_in, kept.method, kept.counts)

    def _own_name(self, name: str, kept: CacheEntry) -> str:
        return f"{self._job_id}/{self._run}/{self._own(name, kept)}"

    def _own(self, value: Any, kept: CacheEntry) -> Any:
        """A JSON value in which this run replaces the other: in locations, links and names of files."""
        match value:
            case str():
                return value.replace(kept.job_id, self._job_id).replace(kept.run, self._run)
            case list():
                return [self._own(part, kept) for part in value]
            case dict():
                return {name: self._own(part, kept) for name, part in value.items()}
        return value
