"""One pass over the store: lists it, searches the log where needed, and decides what to delete. Deletes nothing."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from piperoll.clock import Clock
from piperoll.domain.backlog import Backlog
from piperoll.job_types import cache_ttl_s, job_types
from piperoll.log.contract import LogView
from piperoll.settings import Settings
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobEntry, BlobMissingError, BlobUnreadableError
from services.worker.cleanup.sweep import notes as store_notes
from services.worker.cleanup.sweep.evidence import (
    Doomed,
    Reason,
    Sighting,
    Traces,
    brake_of,
    is_due,
    is_input,
    sighted,
    traces_of,
)
from services.worker.cleanup.sweep.keys import (
    by_partition,
    is_document,
    is_mark,
    partition_of_key,
    place_of,
    subject_of,
)
from services.worker.cleanup.sweep.log_time import FreshEnds, LogTime
from services.worker.cleanup.sweep.lookup import InLog, NamedDocuments, look_up
from services.worker.cleanup.sweep.notes import Notes
from services.worker.cleanup.sweep.survey import StoreSurvey, Terms
from services.worker.cleanup.upload_uses import named_in

PAUSE_S = 0.05  # between two pages, so that jobs get the disk


@dataclass
class SweepPlan:
    """What a sweep would delete, and what it notes. `totals` are the blobs that it is responsible for.

    `stopped` is a sentence if the brake forbids the deletion. `waiting` are the sightings that are not due, `left_out`
    the ids that the next sweeps look at.
    """

    doomed: list[Doomed]
    totals: Counter[str]
    documents: NamedDocuments
    before: dict[int, Notes]
    after: dict[int, Notes]
    waiting: int = 0
    left_out: int = 0
    stopped: str | None = None

    def released(self) -> "SweepPlan":
        """The plan without its brake."""
        after = {part: one.model_copy(update={"stopped": None}) for part, one in self.after.items()}
        return replace(self, after=after, stopped=None)


class Planner:
    """Makes plans for the partitions that are confirmed as fresh. Raises BlobStoreError, and what the log raises."""

    def __init__(
        self,
        settings: Settings,
        blobs: AsyncBlobs,
        log: LogView,
        ends: FreshEnds,
        clock: Clock,
        chances: random.Random,
    ) -> None:
        self._settings = settings
        self._blobs = blobs
        self._log = log
        self._ends = ends
        self._clock = clock
        self._chances = chances
        self._time = LogTime()
        self._cluster_id: str | None = None

    async def make(self, backlogs: Mapping[int, Backlog], deep: bool) -> SweepPlan | None:
        """Return a plan, or None while the log is empty: it has no time yet, and it proves nothing."""
        await self._time.update(self._log, self._ends.ends)
        now = self._time.now()
        if now is None:
            return None
        before = {part: await self.notes_of(part) for part in backlogs}
        known = {key: one for notes in before.values() for key, one in notes.sightings.items()}
        documents = NamedDocuments(self._log)
        await documents.begin(backlogs.keys())
        survey = StoreSurvey(self._terms(now, deep), backlogs, documents.ids, known.keys(), self._chances)
        await self._list(survey)
        interval = timedelta(seconds=self._settings.sweep_interval_s)
        sightings = {key: sighted(known.get(key), traces, now, interval) for key, traces in survey.suspects.items()}
        plan = SweepPlan(survey.doomed, survey.totals, documents, before, {}, left_out=survey.left_out)
        await self._settle(plan, sightings, {key for key, one in sightings.items() if is_due(one, now)})
        self._note(plan, sightings, now)
        return plan

    async def notes_of(self, partition: int) -> Notes:
        """Return the notes of a partition. Raises as `make`."""
        if self._cluster_id is None:
            self._cluster_id = await self._log.cluster_id()
        return await store_notes.load(self._blobs, partition, self._cluster_id)

    def _terms(self, now: datetime, deep: bool) -> Terms:
        settings = self._settings
        return Terms(
            partitions=settings.partitions,
            now=now,
            expiry=min(now, self._clock()),  # neither clock alone ages anything
            upload_age=timedelta(seconds=settings.upload_ttl_s),
            cache_age=timedelta(seconds=max(cache_ttl_s(one, settings) for one in job_types())),
            deep=deep,
        )

    async def _list(self, survey: StoreSurvey) -> None:
        async for page in self._blobs.pages():
            for entry in page:
                survey.add(entry)
                if (begun := survey.reads(entry)) is not None:
                    await self._read(survey, entry, begun)
            await asyncio.sleep(PAUSE_S)
        marks = {uri for one in survey.doomed if one.reason == "upload" for uri in one.uris}
        used = set() if not survey.expired else await self._used(survey, marks)
        survey.finish(used)

    async def _read(self, survey: StoreSurvey, segment: BlobEntry, begun: datetime) -> None:
        try:
            lines = await self._blobs.lines(segment.uri)
        except BlobMissingError:
            return  # another worker deleted it first
        for line in lines:
            survey.add_line(line, begun)
        if not lines:
            survey.add_empty(segment)

    async def _used(self, survey: StoreSurvey, going: set[str]) -> set[str]:
        """The expired uploads that a batch or a marker still names.

        Batches first: when their specifications are gone, the members have markers. Those that an earlier release
        accepted have none themselves.
        """
        try:
            named = {file_id for uri in survey.specs for file_id in await named_in(self._blobs, uri)}
        except BlobUnreadableError:
            return set(survey.expired)
        unnamed = [file for file in survey.expired if file.rpartition("/")[2] not in named]
        marked = [file for file in unnamed if set(await self._blobs.names(f"{uploads.USES}/{file}")) - going]
        return survey.expired.keys() - unnamed | set(marked)

    async def _settle(self, plan: SweepPlan, sightings: dict[str, Sighting], due: set[str]) -> None:
        """Search the log for the due ids and decide about them. Those that the log has are seen no more.

        Expanded batches are searched for too: the log has their owners, to whom the uploads of the members belong.
        Documents and folders are due only if they were not found in it before.
        """
        subjects = {key: subject_of(key) for key in due}
        searched = {name for key, name in subjects.items() if name and not (is_mark(key) or is_document(key))}
        expanded = {one.name: one.partition for one in plan.doomed if one.reason == "expanded"}
        searched |= expanded.keys()
        wanted = by_partition(searched, self._settings.partitions)
        found, whole = await look_up(self._log, self._ends.ends, wanted) if wanted else ({}, set())
        expanded = {name: part for name, part in expanded.items() if name in found}
        plan.doomed = [one for one in plan.doomed if one.reason != "expanded" or one.name not in expanded]
        for name, part in expanded.items():
            plan.doomed += await self._in_log(part, name, name, found[name])
        for key in due:
            part = partition_of_key(key, self._settings.partitions)
            if not (subject := subjects[key]):
                plan.doomed.append(Doomed("segment", part, key, (key,)))
            elif is_mark(key):  # no job that is open or was on its way uses the upload
                uri = place_of(key)
                plan.doomed.append(Doomed("upload", part, uri, (uri,)))
            elif subject in found:
                del sightings[key]
                plan.doomed += await self._in_log(part, key, subject, found[subject])
            elif is_document(key) or part in whole:
                plan.doomed += await self._orphan(part, key, subject, sightings[key].traces)

    async def _orphan(self, part: int, key: str, subject: str, traces: Traces) -> list[Doomed]:
        """An id that the log does not have, if its folder still is as it was seen and holds inputs alone."""
        if place := place_of(key):
            return [Doomed("orphaned", part, subject, (place,))]
        uris = await unchanged_inputs(self._blobs, key, traces)
        reason: Reason = "unnamed" if is_document(key) else "orphaned"
        return [Doomed(reason, part, key, uris, len(uris), traces)] if uris else []

    async def _in_log(self, part: int, key: str, subject: str, known: InLog) -> list[Doomed]:
        """Of an id that the log has: what is left after its erasure or expansion, which the backlog has forgotten."""
        if known.erasure is not None:
            uris = (place,) if (place := place_of(key)) else ()
            return [Doomed("erased", part, subject, uris, erasure=known.erasure)]
        specs = await self._blobs.names(f"{subject}/specs") if known.expanded else ()
        return [Doomed("expanded", part, subject, tuple(specs), len(specs), owner=known.owner)] if specs else []

    def _note(self, plan: SweepPlan, sightings: Mapping[str, Sighting], now: datetime) -> None:
        plan.stopped = brake_of(plan.doomed, plan.totals, self._settings.sweep_max_share)
        plan.waiting = sum(not is_due(one, now) for one in sightings.values())
        parts = by_partition(sightings.keys(), self._settings.partitions)
        for part, old in plan.before.items():
            seen = {key: sightings[key] for key in parts.get(part, ())}
            plan.after[part] = old.model_copy(update={"sightings": seen, "stopped": plan.stopped})


async def unchanged_inputs(blobs: AsyncBlobs, folder: str, traces: Traces) -> tuple[str, ...]:
    """Return the blobs of a folder if they have these traces and all are inputs; else none."""
    entries = await blobs.entries(folder)
    found = traces_of(one.written_at for one in entries)
    same = found == traces and all(is_input(folder, one.uri) for one in entries)
    return tuple(one.uri for one in entries) if same else ()
