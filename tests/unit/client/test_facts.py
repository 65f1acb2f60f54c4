"""Facts as subscribers read them: decoded, and only those that count by the fold of the product."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given

from piperoll.client.facts.counting import CountedFacts
from piperoll.client.facts.decoding import KNOWN, FollowedFact, UndecodableFactError, decoded
from piperoll.client.facts.following import FactFollower, SkippedFact
from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import EVENTS, JobErased
from tests.support.histories.jobs import completed, created, fact, from_the_future, garbage, histories, life, record


def followed(one: Fact, offset: int = 0) -> FollowedFact:
    read = record(one, 0, offset)
    return decoded(read.headers, read.value, (read.topic, 0, offset))


def test_all_facts_of_this_release_are_known() -> None:
    assert {name: event.version for name, event in EVENTS.items()} == KNOWN


def test_a_fact_has_its_envelope_and_its_data() -> None:
    one = fact("job-1", created())

    found = followed(one, 7)

    assert (found.id, found.name, found.version, found.subject, found.owner) == (
        one.id,
        "JobCreated",
        1,
        "job-1",
        "acme",
    )
    assert (found.time, found.place) == (one.time, ("piperoll.jobs.events.v1", 0, 7))
    assert found.data["job_type"] == "noop"
    assert found.known


def test_a_fact_of_a_later_release_can_be_seen_and_is_not_known() -> None:
    later = from_the_future("job-1", 0, 0)

    found = decoded(later.headers, later.value, ("t", 0, 0))

    assert (found.name, found.known) == ("JobTeleported", False)


@pytest.mark.parametrize("broken", ["", "{", "[]", "\ud800"])
@pytest.mark.parametrize("lost", ["ce_type", "ce_id", "ce_subject", "ce_owner", "ce_time", ""])
def test_what_is_not_a_fact_is_undecodable(lost: str, broken: str) -> None:
    one = record(fact("job-1", created()), 0, 0)
    headers = [(name, value) for name, value in one.headers if name != lost]
    value = broken.encode(errors="surrogatepass") if not lost else one.value

    with pytest.raises(UndecodableFactError):
        decoded(headers, value, ("t", 0, 0))
    with pytest.raises(UndecodableFactError):
        decoded(garbage("job-1", 0, 0).headers, b"", ("t", 0, 0))


@given(histories())
def test_a_fact_of_a_job_counts_exactly_if_the_fold_accepts_it(facts: list[Fact]) -> None:
    counted = CountedFacts()
    jobs: dict[str, Job | None] = {}
    for one in facts:
        if not type(one.data).__name__.startswith("Job"):
            continue
        before = jobs.get(one.subject)
        jobs[one.subject] = after = evolve(before, one)
        if after is None:  # what precedes a job's first fact is not known to a subscriber, who would count it
            continue
        assert counted.counts(followed(one)) is (after is not before), one


def test_a_subscriber_that_begins_in_the_middle_counts_what_follows() -> None:
    _, started, progress, done = (followed(fact("job-1", data, second)) for second, data in enumerate(life()))

    for first in ([started, progress, done], [progress, done], [done]):
        counted = CountedFacts()
        assert [counted.counts(one) for one in first] == [True] * len(first)
        assert not counted.counts(done)
        assert counted.counts(followed(fact("job-1", JobErased(by="acme"))))


def test_what_is_remembered_has_a_bound() -> None:
    counted = CountedFacts(most=10)

    for number in range(100):
        assert counted.counts(followed(fact(f"job-{number}", completed("run-a"))))

    assert not counted.counts(followed(fact("job-99", completed("run-a"))))
    assert counted.counts(followed(fact("job-0", completed("run-a"))))


class Partition:
    """Stands for a consumer of aiokafka: one poll of records, then none."""

    def __init__(self, *records: Any) -> None:
        self.polls = [{0: list(records)}, {}]
        self.commits = 0

    async def getmany(self, **_: Any) -> dict[int, list[Any]]:
        if not self.polls:
            raise StopAsyncIteration
        return self.polls.pop(0)

    async def commit(self) -> None:
        self.commits += 1


async def test_what_is_passed_over_can_be_seen() -> None:
    lived = [record(fact("job-1", data, second), 0, second) for second, data in enumerate(life())]
    records = [*lived, lived[-1], garbage("job-1", 0, 5), from_the_future("job-1", 0, 6)]
    skipped: list[SkippedFact] = []
    follower = FactFollower("", names={"JobCompleted"}, skipped=skipped.append)
    follower._consumer = Partition(*records)

    facts: AsyncIterator[FollowedFact] = aiter(follower)
    first = await anext(facts)
    with pytest.raises(RuntimeError):
        await anext(facts)

    assert (first.name, first.subject) == ("JobCompleted", "job-1")
    assert [one.reason for one in skipped] == ["superseded", "undecodable", "unknown"]
