"""Takes in a listing of the whole store and sorts what is in it. Pure; it keeps little of what is needed.

Of blobs that are kept it holds nothing but sums. Ids without a fact are bounded: beyond `MOST_SUSPECTS` a random share
of them is held, another one in each sweep.
"""

import random
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from piperoll.domain.backlog import Backlog
from piperoll.domain.ended_ids import IdSet
from piperoll.log.record import partition_of
from piperoll.store import document_paths as documents
from piperoll.store import page_paths, segments, targets, uploads
from piperoll.store.blobs import BlobEntry
from piperoll.store.segments import SegmentLine
from services.worker.cleanup.sweep.evidence import (
    BLOBS,
    CONTENT,
    RECENT,
    SPECS_DONE_AFTER,
    Doomed,
    Reason,
    Traces,
    is_input,
    knows,
)
from services.worker.cleanup.sweep.keys import FIRST, line_key, mark_key, segment_of, subject_of
from services.worker.run import cache

MOST_SUSPECTS = 20_000
MOST_DOOMED = 100_000
"""Blobs that one sweep deletes; the next one goes on."""
SUBJECTS = ("job-", "batch-")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a survey goes by. `now` is the log's time; `expiry` is the time by which uploads and cache entries age.

    `deep`: old blobs are looked at too, although the backlog has forgotten most of their jobs.
    """

    partitions: int
    now: datetime
    expiry: datetime
    upload_age: timedelta
    cache_age: timedelta
    deep: bool = False


@dataclass
class StoreSurvey:
    """The state of one listing. `noted` are the keys of earlier sightings.

    `named` are the ids of documents and folders that the log has, of the partitions in which nothing is missing.
    `specs` are the specifications of batches of any partition that may not be expanded, if this sweep deletes uploads.
    """

    terms: Terms
    backlogs: Mapping[int, Backlog]
    named: Mapping[int, IdSet]
    noted: Set[str]
    chances: random.Random
    totals: Counter[str] = field(default_factory=Counter)
    doomed: list[Doomed] = field(default_factory=list)
    suspects: dict[str, Traces] = field(default_factory=dict)
    left_out: int = 0
    expired: dict[str, list[str]] = field(default_factory=dict)
    specs: list[str] = field(default_factory=list)
    _slices: int = 1
    _salt: int = 0
    _erased: dict[str, int] = field(default_factory=dict)
    _spared: set[str] = field(default_factory=set)
    _noted_segments: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._salt = self.chances.getrandbits(32)
        self._noted_segments = {segment_of(key) for key in self.noted}

    def add(self, entry: BlobEntry) -> None:
        """Take in one blob. The contents of segments follow by `add_line`."""
        folder, _, rest = entry.uri.partition("/")
        if folder.startswith(SUBJECTS):
            self._add_of_subject(folder, rest, entry)
        elif folder in (uploads.FOLDER, uploads.USES):
            self._add_upload(folder, entry)
        elif folder in (documents.ABOUT, targets.TARGETS):
            self._add_job_mark(entry)
        elif folder in (documents.FOLDER, documents.FOLDERS):
            self._add_document(f"{folder}/{rest.partition('/')[0]}", entry)
        elif folder == cache.FOLDER and FIRST in self.backlogs:
            self.totals[BLOBS] += 1
            if self.terms.expiry - entry.written_at > self.terms.cache_age:
                self._doom("cache", FIRST, entry.uri, entry.uri)

    def add_line(self, line: SegmentLine, begun: datetime) -> None:
        """Take in the content of a job in a segment that was begun at this time."""
        part = partition_of(line.subject, self.terms.partitions)
        backlog = self.backlogs.get(part)
        if backlog is None:
            return
        self.totals[BLOBS] += 1
        if line.subject in backlog.erased:
            self._doom("erased", part, line.subject, line.range.uri)
        elif not knows(backlog, line.subject):
            self._suspect(line_key(line), begun)

    def add_empty(self, segment: BlobEntry) -> None:
        """Take in a closed segment without contents. Its name is its key."""
        if FIRST in self.backlogs:
            self._suspect(segment.uri, segment.written_at)

    def reads(self, segment: BlobEntry) -> datetime | None:
        """The time at which a segment was begun if its contents are worth a look; None for any other blob."""
        begun = segments.created_at(segment.uri)
        if begun is None or self.terms.now - begun < segments.CLOSED_AFTER:
            return None
        recent = self.terms.now - max(begun, segment.written_at) < RECENT
        noted = recent or self.terms.deep or segment.uri in self._noted_segments
        return begun if noted else None

    def finish(self, used: Set[str]) -> None:
        """Decide what depends on the whole listing: erased jobs, and `expired` uploads that are not `used`."""
        for subject, blobs in self._erased.items():
            part = partition_of(subject, self.terms.partitions)
            self.doomed.append(Doomed("erased", part, subject, blobs=blobs))
        for file, uris in self.expired.items():
            if file not in used:
                self._doom("upload", FIRST, file, *uris)

    def _add_of_subject(self, subject: str, rest: str, entry: BlobEntry) -> None:
        part = partition_of(subject, self.terms.partitions)
        backlog = self.backlogs.get(part)
        is_specs = uploads.is_batch(subject) and rest.startswith("specs/")
        if is_specs and FIRST in self.backlogs and not (backlog and subject in backlog.ended):
            self.specs.append(entry.uri)
        if backlog is None:
            return
        self.totals[BLOBS] += 1
        if subject in backlog.erased:
            self._erased[subject] = self._erased.get(subject, 0) + 1
        elif subject in backlog.ended:
            if rest.startswith(f"{page_paths.FOLDER}/"):
                self._doom("pages", part, subject, entry.uri)
            age = self.terms.now - entry.written_at
            if is_specs and age > SPECS_DONE_AFTER:
                self._doom("expanded", part, subject, entry.uri)
        elif not knows(backlog, subject) and self._is_worth_a_note(subject, entry):
            self._consider(subject, entry)

    def _add_job_mark(self, entry: BlobEntry) -> None:
        """The marker by which a removal finds a job stays as long as the job. That of a failed request is an orphan."""
        job_id = entry.uri.rpartition("/")[2]
        part = partition_of(job_id, self.terms.partitions)
        backlog = self.backlogs.get(part)
        if backlog is None:
            return
        self.totals[BLOBS] += 1
        key = mark_key(job_id, entry.uri)
        if job_id in backlog.erased:
            self._doom("erased", part, job_id, entry.uri)
        elif not knows(backlog, job_id) and self._is_worth_a_note(key, entry):
            self._suspect(key, entry.written_at)

    def _is_worth_a_note(self, key: str, entry: BlobEntry) -> bool:
        return self.terms.now - entry.written_at < RECENT or self.terms.deep or key in self.noted

    def _add_document(self, folder: str, entry: BlobEntry) -> None:
        subject = subject_of(folder)
        part = partition_of(subject, self.terms.partitions)
        if part in self.named:
            self.totals[CONTENT] += 1
            if subject not in self.named[part]:
                self._consider(folder, entry)

    def _consider(self, folder: str, entry: BlobEntry) -> None:
        """Take in a blob in the folder of an id without a fact. A blob that is not an input spares all of them."""
        if is_input(folder, entry.uri):
            self._suspect(folder, entry.written_at)
        elif self._admits(folder):
            self._spared.add(folder)
            self.suspects.pop(folder, None)

    def _suspect(self, key: str, written_at: datetime) -> None:
        if key in self._spared:
            return
        if not self._admits(key):
            self.left_out += 1
            return
        known = self.suspects.get(key)
        self.suspects[key] = known.plus(written_at) if known else Traces(1, written_at)
        if len(self.suspects) + len(self._spared) > MOST_SUSPECTS + len(self.noted):
            self._slices *= 2
            kept = {one for one in (*self.suspects, *self._spared) if self._admits(one)}
            self.left_out += len(self.suspects.keys() - kept)
            self.suspects = {one: traces for one, traces in self.suspects.items() if one in kept}
            self._spared &= kept

    def _admits(self, key: str) -> bool:
        """Whether an id is in this sweep's share. Noted ids are in every share."""
        return key in self.noted or crc32(key.encode(), self._salt) % self._slices == 0

    def _add_upload(self, folder: str, entry: BlobEntry) -> None:
        """An upload may go when its markers are gone; a marker, when it is old and its job is not open.

        That of an expanded batch may go at once, since it does not keep the upload from being erased with its jobs.
        """
        expired = self.terms.expiry - entry.written_at > self.terms.upload_age
        file, _, name = entry.uri.removeprefix(f"{folder}/").rpartition("/")
        part = FIRST if folder == uploads.FOLDER else partition_of(name, self.terms.partitions)
        backlog = self.backlogs.get(part)
        if backlog is None:
            return
        self.totals[BLOBS] += 1
        if folder == uploads.FOLDER:
            if expired:
                self.expired.setdefault("/".join(file.split("/")[:2]), []).append(entry.uri)
        elif name in backlog.ended or name in backlog.erased:
            if expired or uploads.is_batch(name):
                self._doom("upload", part, entry.uri, entry.uri)
        elif expired and not knows(backlog, name):
            self._suspect(mark_key(name, entry.uri), entry.written_at)  # its job may be on its way to the log

    def _doom(self, reason: Reason, part: int, name: str, *uris: str) -> None:
        if len(self.doomed) < MOST_DOOMED:
            self.doomed.append(Doomed(reason, part, name, uris, len(uris)))
