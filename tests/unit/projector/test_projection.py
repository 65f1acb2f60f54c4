"""The projector's pure core: what records change does not depend on how they were cut into polls."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, Status, evolve
from piperoll.log.parking import PARKED_BEFORE, Decoded, Parking, decode
from piperoll.log.record import Record, partition_of
from schemas.envelope import Fact
from schemas.events import BatchCreated, JobCancelled, JobStarted
from schemas.ids import member_id
from services.projector.jobs import rows
from services.projector.jobs.projection import KnownJobs, StoredEvent, project, units
from services.projector.readers.topic_reader import decode_poll
from services.projector.tables.values import text
from tests.support.histories.jobs import claim, created, fact, from_the_future, garbage, histories, life, record

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


gap_sizes = st.lists(st.integers(0, 2), min_size=1, max_size=4)
cuts_at = st.lists(st.integers(0, 40), max_size=6).map(sorted)


@given(histories(), gap_sizes, cuts_at)
def test_any_split_into_polls_gives_the_same_rows(facts: list[Fact], gaps: list[int], cuts: list[int]) -> None:
    entries = entries_of(facts, gaps)
    split = Folded()
    for begin, end in zip([0, *cuts], [*cuts, len(entries)], strict=True):
        split.poll(entries[begin:end])
    assert split == one_by_one(entries)


@given(histories(), gap_sizes, st.integers(0, 40), st.integers(0, 40))
def test_a_poll_that_is_handed_over_again_changes_nothing(
    facts: list[Fact], gaps: list[int], begin: int, end: int
) -> None:
    entries = entries_of(facts, gaps)
    folded = one_by_one(entries)
    folded.poll(entries[begin:end])
    assert folded == one_by_one(entries)


@given(histories())
def test_a_job_is_what_the_one_fold_makes_of_its_facts(facts: list[Fact]) -> None:
    folded = one_by_one(entries_of(facts, [0]))
    for job_id, job in folded.known.jobs.items():
        expected: Job | None = None
        for entry in entries_of(facts, [0]):
            if entry.record.key_text == job_id and entry.fact is not None:
                expected = evolve(expected, entry.fact)
        assert job == expected


@given(histories())
def test_the_events_of_a_job_are_numbered_without_a_gap(facts: list[Fact]) -> None:
    folded = one_by_one(entries_of(facts, [0]))
    for job_id, job in folded.known.jobs.items():
        numbers = [row.sequence for row in folded.events if row.job_id == job_id]
        assert numbers == list(range(1, job.sequence + 1))


@given(histories(), st.integers(1, 8))
def test_units_keep_the_order_and_bound_the_members_they_announce(facts: list[Fact], limit: int) -> None:
    entries = entries_of(facts, [0])
    cut = list(units(entries, limit))
    assert [entry for unit in cut for entry in unit] == entries
    for unit in cut:
        counts = [e.fact.data.count for e in unit if e.fact and isinstance(e.fact.data, BatchCreated)]
        assert len(counts) <= 1 or sum(counts) <= limit


def test_after_an_undecodable_record_its_key_is_parked_and_no_other() -> None:
    facts = [fact("job-a", data, second) for second, data in enumerate(life())]
    records: list[Record] = [record(facts[0], PARTITION, 0), garbage("job-a", PARTITION, 1)]
    records += [record(one, PARTITION, offset) for offset, one in enumerate(facts[1:], start=2)]
    records.append(record(fact("job-b", created()), PARTITION, 9))
    folded = one_by_one([decode(one) for one in records])
    assert folded.known.jobs["job-a"].status is Status.PENDING
    assert folded.known.jobs["job-b"].status is Status.PENDING
    assert folded.parked == {"job-a"}
    assert [offset for offset, _ in folded.dead] == [1, 2, 3, 4]
    assert [why for _, why in folded.dead[1:]] == [PARKED_BEFORE] * 3


def test_an_undecodable_record_without_a_key_parks_itself_alone() -> None:
    keyless = garbage("", PARTITION, 0)
    folded = one_by_one([decode(keyless), decode(record(fact("job-a", created()), PARTITION, 1))])
    assert folded.parked == set()
    assert len(folded.dead) == 1
    assert "job-a" in folded.known.jobs


def test_decoding_stops_at_an_event_of_a_later_release_and_keeps_what_stands_before() -> None:
    records = [record(fact("job-a", created()), PARTITION, 0), from_the_future("job-b", PARTITION, 1)]
    entries, unknown = decode_poll([*records, record(fact("job-c", created()), PARTITION, 2)])
    assert [entry.record.key_text for entry in entries] == ["job-a"]
    assert "JobTeleported" in str(unknown)


def test_a_batch_is_announced_once_however_often_it_is_written() -> None:
    whole = BatchCreated(count=2, specs=claim("specs"), body_sha256="0" * 64)
    folded = one_by_one(entries_of([fact("batch-a", whole), fact("batch-a", whole, 1)], [0]))
    assert [batch.batch_id for batch in folded.announced] == ["batch-a"]


def test_members_are_announced_with_the_details_of_their_specs() -> None:
    batch = _batch(count=3)
    specs = [rows.MemberSpec(job_type="pdf", user_id="u", target_id="t"), rows.MemberSpec(job_type="noop")]
    first, second, third = rows.of_members(batch, specs, partitions=6)
    assert (first.job_type, first.user_id, first.target_id, first.batch_index) == ("pdf", "u", "t", 0)
    assert (second.job_type, second.batch_index) == ("noop", 1)
    assert (third.job_type, third.status, third.sequence, third.state) == ("", "pending", rows.UNTOLD, None)
    assert first.job_id == member_id(batch.batch_id, 0)
    assert first.partition == partition_of(first.job_id, 6)


def test_members_of_erased_specs_are_announced_without_details() -> None:
    found = rows.of_members(_batch(count=2), None, partitions=6)
    assert [(row.job_type, row.created) for row in found] == [("", False), ("", False)]


def test_a_member_announced_and_created_at_once_has_the_fold_and_its_place() -> None:
    batch = _batch(count=1)
    (announced,) = rows.of_members(batch, [rows.MemberSpec(job_type="pdf")], partitions=1)
    job = evolve(None, fact(announced.job_id, created(batch.batch_id), 5))
    assert job is not None
    (row,) = rows.merge([rows.of_job(job, 0)], [announced])
    assert (row.batch_index, row.batch_id, row.sequence, row.job_type) == (0, batch.batch_id, 1, "noop")


def test_a_member_ended_before_its_creation_keeps_the_values_of_the_announcement() -> None:
    batch = _batch(count=1)
    (announced,) = rows.of_members(batch, [rows.MemberSpec(job_type="pdf", user_id="u")], partitions=1)
    stub = evolve(None, fact(announced.job_id, JobCancelled(by="acme"), 5))
    assert stub is not None
    (row,) = rows.merge([rows.of_job(stub, 0)], [announced])
    assert (row.status, row.created, row.job_type, row.user_id) == ("cancelled", False, "pdf", "u")
    assert (row.batch_id, row.batch_index, row.created_at) == (batch.batch_id, 0, batch.created_at)


def test_rows_stand_in_the_order_of_their_ids() -> None:
    batch = _batch(count=50)
    found = rows.merge([], rows.of_members(batch, None, partitions=6))
    assert [row.job_id for row in found] == sorted(member_id(batch.batch_id, index) for index in range(50))


def test_a_nul_is_shown_in_columns_as_the_replacement_character() -> None:
    assert text("a\x00b") == "a\ufffdb"


def test_a_claim_that_is_not_next_makes_no_event() -> None:
    facts = [fact("job-a", created()), fact("job-a", JobStarted(number=2, run="run-a", worker="w"), 1)]
    assert len(one_by_one(entries_of(facts, [0])).events) == 1


def _batch(count: int) -> Batch:
    whole = BatchCreated(count=count, specs=claim("specs"), body_sha256="0" * 64)
    return one_by_one(entries_of([fact("batch-a", whole)], [0])).known.batches["batch-a"]
