"""A projection folded in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from piperoll.domain.batch import Batch
from piperoll.log.parking import Decoded, Parking, decode
from schemas.envelope import Fact
from services.projector.jobs.projection import KnownJobs, StoredEvent, project
from tests.support.histories.jobs import record

PARTITION = 0


@dataclass
class Folded:
    """What the tables would hold after some polls."""

    known: KnownJobs = field(default_factory=KnownJobs)
    parked: set[str] = field(default_factory=set)
    events: list[StoredEvent] = field(default_factory=list)
    announced: list[Batch] = field(default_factory=list)
    dead: list[tuple[int, str]] = field(default_factory=list)
    next_offset: int = 0

    def poll(self, entries: Sequence[Decoded]) -> None:
        new = [entry for entry in entries if entry.record.offset >= self.next_offset]
        parking = Parking(self.parked)
        changes = project(self.known, parking.sift(new))
        self.known.jobs |= changes.jobs
        self.known.batches |= changes.batches
        self.parked |= set(parking.keys)
        self.events += changes.events
        self.announced += changes.announced
        self.dead += [(parked.offset, why) for parked, why in parking.letters]
        if new:
            self.next_offset = new[-1].record.offset + 1


def entries_of(facts: list[Fact], gaps: list[int]) -> list[Decoded]:
    """One partition of these facts, with holes between the offsets."""
    offset, entries = 0, []
    for number, one in enumerate(facts):
        offset += 1 + gaps[number % len(gaps)]
        entries.append(decode(record(one, PARTITION, offset)))
    return entries


def one_by_one(entries: list[Decoded]) -> Folded:
    folded = Folded()
    for entry in entries:
        folded.poll([entry])
    return folded
