"""Searches the log for ids: in one scan of their partitions, of which it keeps what is needed to decide about them."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from piperoll.domain.backlog import Erasure
from piperoll.domain.ended_ids import IdSet
from piperoll.log.contract import LogView
from piperoll.log.record import Record
from schemas.envelope import UndecodableRecordError, UnknownEventError
from schemas.events import BatchErased, BatchExpanded, JobCreated, JobErased
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS

BROKER_DEADLINE_S = 10.0
PAUSE_S = 0.01  # between two lists of records: the jobs of this worker come first


@dataclass(frozen=True, slots=True)
class InLog:
    """What the log has of an id: any record at all, the uri of a job's parameters, and its last erasure.

    Of a batch whether it is `expanded`, and then its owner.
    """

    parameters: str | None = None
    erasure: Erasure | None = None
    expanded: bool = False
    owner: str = ""


async def look_up(
    log: LogView, ends: Mapping[int, int], wanted: Mapping[int, Iterable[str]]
) -> tuple[dict[str, InLog], set[int]]:
    """Return what the log has of the ids, and the partitions that were searched as a whole, up to `ends`.

    A partition that lost its oldest records is not searched: what is missing there may have been in them. Raises
    TimeoutError when the broker stops answering, and what the log raises.
    """
    begins = await log.begin_offsets(JOB_EVENTS)
    whole = {part for part in wanted if begins.get(part) == 0 and part in ends}
    keys = {name.encode(): name for part in whole for name in wanted[part]}
    found: dict[str, InLog] = {}
    scan = log.scan(JOB_EVENTS, {part: begins[part] for part in whole}, {part: ends[part] for part in whole})
    async with contextlib.aclosing(scan) as batches:
        async for records in batches:
            for record in records:
                if record.key in keys:
                    name = keys[record.key]
                    found[name] = _with(found.get(name, InLog()), record)
            await asyncio.sleep(PAUSE_S)
    return found, whole


class NamedDocuments:
    """The documents and folders that facts name. No backlog knows them, so all ids of the partitions are read.

    `ids` has no partition that lost its oldest records: what is missing there may have been in them.
    """

    def __init__(self, log: LogView) -> None:
        self._log = log
        self._positions: dict[int, int] = {}
        self.ids: dict[int, IdSet] = {}

    async def begin(self, partitions: Collection[int]) -> None:
        """Read the partitions to their ends. Raises TimeoutError, and what the log raises."""
        async with asyncio.timeout(BROKER_DEADLINE_S):
            begins = await self._log.begin_offsets(DOCUMENT_EVENTS)
        self.ids = {part: IdSet() for part in partitions if begins.get(part) == 0}
        self._positions = dict.fromkeys(self.ids, 0)
        await self.go_on()

    async def go_on(self) -> None:
        """Read what was appended since. Raises as `begin`."""
        async with asyncio.timeout(BROKER_DEADLINE_S):
            ends = await self._log.end_offsets(DOCUMENT_EVENTS)
        scan = self._log.scan(DOCUMENT_EVENTS, self._positions, {part: ends[part] for part in self.ids})
        async with contextlib.aclosing(scan) as batches:
            async for records in batches:
                for record in records:
                    self.ids[record.partition].add((record.key or b"").decode(errors="replace"))
                await asyncio.sleep(PAUSE_S)
        self._positions = {part: ends[part] for part in self.ids}


def _with(known: InLog, record: Record) -> InLog:
    """What is known of an id after another record of it. One that cannot be decoded counts too."""
    try:
        fact = record.fact()
    except (UndecodableRecordError, UnknownEventError):
        return known
    match fact.data:
        case JobCreated() as data:
            uri = data.parameters.uri
            erasure = known.erasure and replace(known.erasure, parameters=uri)
            return replace(known, parameters=uri, erasure=erasure)
        case JobErased() as data:
            place = data.parameters.uri if data.parameters else known.parameters
            return replace(known, erasure=Erasure(fact.known_at, fact.owner, place))
        case BatchErased():
            return replace(known, erasure=Erasure(fact.known_at, fact.owner))
        case BatchExpanded():
            return replace(known, expanded=True, owner=fact.owner)
    return known
