"""Which records are parked: one that cannot be decoded, what follows under its key, and no other."""

from dataclasses import replace

import pytest

from piperoll.log.parking import (
    PARKED_BEFORE,
    REDRIVEN,
    UNPARKED,
    ParkedCache,
    Parking,
    decode,
    decode_accounted,
    refuse,
)
from piperoll.log.record import Record, partition_of
from schemas.envelope import UnknownEventError
from schemas.events import JobCancelled, JobErased
from tests.support.histories.jobs import created, fact, from_the_future, garbage, life, record


def test_what_follows_a_parked_key_is_parked_and_other_keys_are_admitted() -> None:
    parking = Parking({"known"})
    records = [garbage("job-a", 0, 0), *(record(fact(key, created()), 0, 1) for key in ("job-a", "known", "job-b"))]
    assert [one.subject for one, _ in parking.sift(map(decode, records))] == ["job-b"]
    assert parking.keys == {"job-a": 0}
    assert [why for _, why in parking.letters] == ["the header ce_id is missing", PARKED_BEFORE, PARKED_BEFORE]


def test_a_record_without_a_key_parks_itself_alone() -> None:
    parking = Parking()
    assert parking.admit(decode(replace(garbage("", 0, 0), key=None))) is None
    assert len(parking.letters) == 1
    assert parking.keys == {}


def test_a_key_is_parked_in_the_form_that_postgres_stores() -> None:
    parking = Parking()
    assert parking.admit(decode(garbage("job\x00", 0, 3))) is None
    assert parking.keys == {"job\N{REPLACEMENT CHARACTER}": 3}
    assert parking.passes(record(fact("job\x00", created()), 0, 4))


def test_a_reader_may_park_a_record_that_was_decoded() -> None:
    parking, one = Parking(), record(fact("job-a", created()), 0, 5)
    assert parking.admit(decode(one)) is not None
    parking.park(one, "its settings cannot be read")
    assert (parking.letters, parking.keys) == ([(one, "its settings cannot be read")], {"job-a": 5})


def test_an_event_of_a_later_release_is_not_parked() -> None:
    with pytest.raises(UnknownEventError):
        decode(from_the_future("job-a", 0, 0))


def test_what_continues_or_ends_a_job_is_admitted_under_a_parked_key() -> None:
    parking = Parking({"job-a"})
    started, progress, completed = life()[1:]
    events = [started, progress, completed, JobCancelled(by="acme"), JobErased(by="acme"), created()]
    facts = [fact("job-a", data, second) for second, data in enumerate(events)]
    admitted = [one.data for one, _ in parking.sift(decode(record(one, 0, 5)) for one in facts)]
    assert admitted == events[:-1]
    assert [why for _, why in parking.letters] == [PARKED_BEFORE]


def test_a_misplaced_record_does_not_park_its_key() -> None:
    parking = Parking()
    misplaced = replace(garbage("job-a", 0, 3), partitions=4, partition=(partition_of("job-a", 4) + 1) % 4)
    assert parking.admit(decode(misplaced)) is None
    assert (len(parking.letters), parking.keys) == (1, {})


def test_a_refused_record_is_parked_although_it_can_be_decoded() -> None:
    parking = Parking()
    assert parking.admit(decode(refuse(record(fact("job-a", created()), 0, 3), "Postgres refuses it"))) is None
    assert [(why, parking.keys) for _, why in parking.letters] == [("Postgres refuses it", {"job-a": 3})]


def test_an_event_of_a_later_release_that_a_reader_has_passed_has_no_fact() -> None:
    assert decode_accounted(from_the_future("job-a", 0, 0)).fact is None


def redriven(one: Record) -> Record:
    return replace(one, headers=[*one.headers, (REDRIVEN, b"0:1")])


def unpark(key: str) -> Record:
    return replace(garbage(key, 0, 9), value=None, headers=[(UNPARKED, b"redriven")])


def test_a_redriven_record_counts_where_its_key_is_parked_and_nowhere_else() -> None:
    one = record(fact("job-a", created()), 0, 5)
    parked, open_ = Parking({"job-a"}), Parking()
    assert parked.admit(decode(redriven(one))) == decode(one).fact
    assert open_.admit(decode(redriven(one))) is None
    assert (parked.letters, open_.letters) == ([], [])
    assert parked.holds("job-a")


def test_a_redriven_record_that_still_cannot_be_decoded_is_parked_again() -> None:
    parking = Parking({"job-a"})
    assert parking.admit(decode(redriven(garbage("job-a", 0, 5)))) is None
    assert [why for _, why in parking.letters] == ["the header ce_id is missing"]


def test_an_unparked_key_admits_what_follows() -> None:
    parking = Parking({"job-a"})
    later = fact("job-a", created())
    facts = list(parking.sift(map(decode, [unpark("job-a"), record(later, 0, 10)])))
    assert [(one.data, offset) for one, offset in facts] == [(later.data, 10)]
    assert (parking.letters, parking.freed, parking.keys) == ([], {"job-a"}, {})


def test_a_key_can_be_parked_again_after_it_was_unparked() -> None:
    parking, cache = Parking({"job-a"}), ParkedCache()
    list(parking.sift(map(decode, [unpark("job-a"), garbage("job-a", 0, 10)])))
    assert (parking.freed, parking.keys) == ({"job-a"}, {"job-a": 10})
    cache.put(0, 11, parking)
    assert cache.get(0, 11) == {"job-a"}


def test_the_end_of_a_parking_means_nothing_to_a_reader_that_did_not_park_the_key() -> None:
    parking = Parking()
    assert list(parking.sift([decode(unpark("job-a"))])) == []
    assert (parking.letters, parking.keys, parking.freed) == ([], {}, set())
