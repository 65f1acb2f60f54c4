"""Which records are parked: one that cannot be decoded, what follows under its key, and no other."""

from dataclasses import replace

import pytest

from piperoll.log.parking import PARKED_BEFORE, Parking, decode
from schemas.envelope import UnknownEventError
from tests.support.histories.jobs import created, fact, from_the_future, garbage, record


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
    assert parking.follows(record(fact("job\x00", created()), 0, 4))


def test_a_reader_may_park_a_record_that_was_decoded() -> None:
    parking, one = Parking(), record(fact("job-a", created()), 0, 5)
    assert parking.admit(decode(one)) is not None
    parking.park(one, "its settings cannot be read")
    assert (parking.letters, parking.keys) == ([(one, "its settings cannot be read")], {"job-a": 5})


def test_an_event_of_a_later_release_is_not_parked() -> None:
    with pytest.raises(UnknownEventError):
        decode(from_the_future("job-a", 0, 0))
