"""What the dead letters are made of, and which records wait for an operator."""

from dataclasses import replace

from piperoll.log.dead_letters import MOST_BYTES, PARKED, SETTLED, STOPPED, DeadLetter, DeadLetters, read_letter
from piperoll.log.record import Position, Record
from piperoll.log.redriving import waiting
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from tests.support.histories.jobs import garbage
from tests.support.memory_log import MemoryLog

PLACE = Position(3, 120)
LETTER = DeadLetter(PARKED, "worker", JOB_EVENTS.name, PLACE, "why", "2026", "job-a", "")


async def read_back(record: Record) -> Record:
    log = MemoryLog()
    await DeadLetters(log).park("worker", record, "why")
    ends = await log.end_offsets(DEAD_LETTERS)
    (found,) = await log.read_range(DEAD_LETTERS, dict.fromkeys(ends, 0), ends)
    return found


async def test_a_record_as_large_as_the_broker_takes_fits_into_a_letter() -> None:
    huge = b"\xff" * 1_040_000
    for record in (
        replace(garbage("job-a", 3, 120), value=huge),
        replace(garbage("job-a", 3, 120), key=huge, value=None),
        replace(garbage("job-a", 3, 120), headers=[("h", huge)]),
    ):
        kept = await read_back(record)
        size = len(kept.key or b"") + len(kept.value or b"") + sum(len(value) for _, value in kept.headers)
        assert size < MOST_BYTES + 2000
        letter = read_letter(kept)
        assert letter is not None
        assert (letter.topic, letter.position, letter.why) == (JOB_EVENTS.name, PLACE, "why")


def test_one_record_that_several_readers_parked_waits_once() -> None:
    (one,) = waiting([LETTER, replace(LETTER, consumer="projector"), LETTER])
    assert one.consumers == ["worker", "projector"]


def test_a_settled_record_waits_no_longer_also_when_it_is_parked_again() -> None:
    settled = replace(LETTER, kind=SETTLED, unparked_at=Position(3, 130))
    assert waiting([LETTER, settled, LETTER]) == []


def test_a_stop_waits_until_its_event_is_parked() -> None:
    stop = replace(LETTER, kind=STOPPED)
    assert [one.stopped for one in waiting([stop])] == [True]
    assert [one.stopped for one in waiting([stop, LETTER])] == [False]


def test_a_record_parked_while_its_key_was_put_back_is_known_to_have_an_open_key() -> None:
    settled = replace(LETTER, kind=SETTLED, unparked_at=Position(3, 130))
    between, later = (replace(LETTER, position=Position(3, offset)) for offset in (129, 131))
    assert [one.open_key for one in waiting([settled, between, later])] == [True, False]


def test_a_foreign_record_among_the_letters_is_passed_over() -> None:
    assert read_letter(garbage("job-a", 0, 0)) is None
