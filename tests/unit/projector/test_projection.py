"""The projector's pure core: what records change does not depend on how they were cut into polls."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import BatchCreated
from services.projector.jobs.projection import units
from tests.support.histories.jobs import histories
from tests.support.histories.projected import Folded, entries_of, one_by_one

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
