"""Finished pages of a job, so that its next attempt goes on where this one stood, on any worker.

Blobs at `{job_id}/pages/{key}/{run}-{number}.json` have the results by step and page. They are written at most once
in PACE_S: a lost attempt repeats no more than that and the page that it worked on, and a quick job writes nothing. They
are deleted when the job has completed; those of other ends are deleted by the sweep, and all by an erasure.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError
from piperoll.store.page_paths import is_record, place_of

T = TypeVar("T")

PACE_S = 1.0
PAGES: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class PageCheckpoints:
    """The page checkpoints of one run. One that `reads` looks for those of earlier runs and children."""

    def __init__(
        self, blobs: Blobs, job_id: str, run: str, reads: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._blobs = blobs
        self._job_id = job_id
        self._run = run
        self._reads = reads
        self._now = now
        self._written_at = now()
        self._place: str | None = None
        self._found: dict[str, Any] = {}
        self._fresh: dict[str, Any] = {}
        self._names: set[str] = set()

    @property
    def used(self) -> bool:
        """Whether this run wrote or found any."""
        return bool(self._names)

    def open(self, key: str) -> None:
        """Keep pages from now on: results of work with this key (services.worker.run.cache.key_of)."""
        self._place = place_of(self._job_id, key)

    def resume(self, step: str, page: int, work: Callable[[], T | None], kind: TypeAdapter[T]) -> T | None:
        """See `services.worker.run.workspace.ResumePage`."""
        if self._place is None:
            return work()
        self._load(self._place)
        name = f"{step}/{page}"
        if name in self._found:
            with suppress(ValidationError):
                return kind.validate_python(self._found.pop(name))
        result = work()
        if result is not None:
            self._fresh[name] = kind.dump_python(result, mode="json")
            self._write_if_due(self._place)
        return result

    def write(self) -> bool:
        """Write what was finished since the last checkpoint. Whether all is written."""
        if self._fresh and self._place is not None:
            self._write(self._place)
        return not self._fresh

    def _load(self, place: str) -> None:
        if not self._reads:
            return
        self._reads = False
        for uri in self._blobs.list(place):
            self._names.add(uri)
            if is_record(uri):
                continue
            with suppress(BlobMissingError, ValidationError):
                self._found |= PAGES.validate_json(self._blobs.get(uri))

    def _write_if_due(self, place: str) -> None:
        if self._now() - self._written_at >= PACE_S:
            self._write(place)

    def _write(self, place: str) -> None:
        """Write the finished pages. A store that fails does not end the work: they are written with the next ones."""
        self._written_at = self._now()
        uri = f"{place}/{self._run}-{len(self._names):05d}.json"
        with suppress(BlobStoreError):
            self._blobs.put_named(uri, to_json(self._fresh), "application/json")
            self._names.add(uri)
            self._fresh.clear()
