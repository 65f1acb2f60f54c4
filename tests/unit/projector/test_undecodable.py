"""Records that the projector cannot decode: they and what follows under their keys."""

from piperoll.domain.job import Status
from piperoll.log.parking import PARKED_BEFORE, decode
from piperoll.log.record import Record
from tests.support.histories.jobs import created, fact, garbage, life, record
from tests.support.histories.projected import PARTITION, one_by_one


def test_a_job_under_whose_key_a_foreign_record_appears_goes_on_to_its_end() -> None:
    facts = [fact("job-a", data, second) for second, data in enumerate(life())]
    records: list[Record] = [record(facts[0], PARTITION, 0), garbage("job-a", PARTITION, 1)]
    records += [record(one, PARTITION, offset) for offset, one in enumerate(facts[1:], start=2)]
    folded = one_by_one([decode(one) for one in records])
    assert folded.known.jobs["job-a"].status is Status.COMPLETED
    assert folded.parked == {"job-a"}
    assert [offset for offset, _ in folded.dead] == [1]


def test_what_begins_after_a_foreign_record_under_its_key_is_parked_and_nothing_of_it_counts() -> None:
    facts = [fact("job-a", data, second) for second, data in enumerate(life())]
    records: list[Record] = [garbage("job-a", PARTITION, 0)]
    records += [record(one, PARTITION, offset) for offset, one in enumerate(facts, start=1)]
    records.append(record(fact("job-b", created()), PARTITION, 9))
    folded = one_by_one([decode(one) for one in records])
    assert "job-a" not in folded.known.jobs
    assert folded.known.jobs["job-b"].status is Status.PENDING
    assert folded.dead[1:] == [(1, PARKED_BEFORE)]


def test_an_undecodable_record_without_a_key_parks_itself_alone() -> None:
    keyless = garbage("", PARTITION, 0)
    folded = one_by_one([decode(keyless), decode(record(fact("job-a", created()), PARTITION, 1))])
    assert folded.parked == set()
    assert len(folded.dead) == 1
    assert "job-a" in folded.known.jobs
