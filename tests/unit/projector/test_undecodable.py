"""Records that the projector cannot decode: they and what follows under their keys."""

from piperoll.domain.job import Status
from piperoll.log.parking import PARKED_BEFORE, decode
from piperoll.log.record import Record
from services.projector.readers.topic_reader import decode_poll
from tests.support.histories.jobs import created, fact, from_the_future, garbage, life, record
from tests.support.histories.projected import PARTITION, one_by_one


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
