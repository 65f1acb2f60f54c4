"""The parked keys that a reader keeps in memory."""

from piperoll.log.parking import ParkedCache, Parking
from piperoll.log.record import Record


def undecodable(key: str, offset: int) -> Record:
    return Record("topic", 0, offset, 0, key.encode(), b"?", ())


def test_keys_are_known_at_the_offset_that_the_last_poll_reached() -> None:
    cache = ParkedCache()
    parking = Parking({"job-a"})
    parking.park(undecodable("job-b", 4), "why")
    cache.put(0, 5, parking)
    assert cache.get(0, 5) == {"job-a", "job-b"}


def test_keys_are_unknown_where_another_process_moved_the_checkpoint() -> None:
    cache = ParkedCache()
    assert cache.get(0, 0) is None
    cache.put(0, 5, Parking())
    assert cache.get(0, 6) is None
    assert cache.get(1, 5) is None
