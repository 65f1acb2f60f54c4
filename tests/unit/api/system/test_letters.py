"""The API's look at the dead letters: each one reads what is new, and keeps the newest."""

from unittest.mock import patch

import pytest
from aiokafka.errors import KafkaConnectionError

from piperoll.clock import utc_now
from piperoll.log.contract import LogView
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from piperoll.log.redriving import Redriving
from schemas.envelope import encode
from schemas.topics import AUDIT_EVENTS, DEAD_LETTERS, JOB_EVENTS
from services.api.http.caller import Caller
from services.api.http.errors import ApiError
from services.api.log.facts import FactLog
from services.api.system import letters as room
from services.api.system.letters import Letters
from services.api.system.views import id_of
from tests.support.histories.jobs import created, fact
from tests.support.memory_log import MemoryLog

ADMIN = Caller("acme", "key-1", frozenset({"admin"}))


def over(log: MemoryLog) -> Letters:
    return Letters(log, log, FactLog(log, AUDIT_EVENTS, utc_now, 1.0))


async def park(log: MemoryLog, key: str) -> Record:
    place = await log.append_raw(JOB_EVENTS, key.encode(), b"no event", [])
    record = log.records(JOB_EVENTS, place.partition)[place.offset]
    await DeadLetters(log).park("a reader", record, "it is no event")
    return record


async def test_a_look_reads_what_is_new_and_knows_what_it_has_seen() -> None:
    log = MemoryLog(1)
    letters = over(log)
    await park(log, "job-a")
    assert [one.key for one in (await letters.waiting())[0]] == ["job-a"]
    await park(log, "job-b")
    with patch.object(log, "scan", wraps=log.scan) as scanned:
        found, complete = await letters.waiting()
    assert ([one.key for one in found], complete) == (["job-a", "job-b"], True)
    assert scanned.call_args.args[1] == {0: 1}


@pytest.mark.parametrize("at_once", [True, False], ids=["from the start", "later"])
async def test_of_many_letters_the_newest_are_kept_and_that_there_are_more_is_known(at_once: bool) -> None:
    log = MemoryLog(1)
    letters = over(log)
    with patch.object(room, "MOST", 3):
        for number in range(5):
            await park(log, f"job-{number}")
            if not at_once:
                await letters.waiting()
        found, complete = await letters.waiting()
    assert ([one.key for one in found], complete) == (["job-2", "job-3", "job-4"], False)


async def test_letters_that_the_topic_no_longer_keeps_are_forgotten() -> None:
    log = MemoryLog(1)
    letters = over(log)
    for name in ("job-a", "job-b"):
        await park(log, name)
    await letters.waiting()
    view: LogView = log
    with patch.object(view, "begin_offsets", return_value={0: 1}):
        found, complete = await letters.waiting()
    assert ([one.key for one in found], complete) == (["job-b"], True)


async def test_a_redrive_that_is_refused_is_noted_and_puts_nothing_back() -> None:
    log = MemoryLog(1)
    letters = over(log)
    await park(log, "job-a")
    ((one,), _) = await letters.waiting()
    before = await log.end_offsets(JOB_EVENTS), await log.end_offsets(DEAD_LETTERS)
    with pytest.raises(ApiError) as refused:
        await letters.redrive(id_of(one), ADMIN)
    assert refused.value.status == 409
    assert (await log.end_offsets(JOB_EVENTS), await log.end_offsets(DEAD_LETTERS)) == before
    assert await log.end_offsets(AUDIT_EVENTS) == {0: 1}


async def test_a_redrive_puts_all_records_of_a_key_back_also_those_before_the_kept_letters() -> None:
    log = MemoryLog(1)
    letters = over(log)
    for number in range(4):
        place = await log.append_raw(JOB_EVENTS, *encode(fact("job-a", created(), number)))
        record = log.records(JOB_EVENTS, place.partition)[place.offset]
        await DeadLetters(log).park("a reader", record, "it was no event of that release")
    with patch.object(room, "MOST", 2):
        found, complete = await letters.waiting()
        assert (len(found), complete) == (2, False)
        done = await letters.redrive(id_of(found[0]), ADMIN)
    assert done["put_back"] == [f"jobs-0-{number}" for number in range(4)]


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [(TimeoutError(), "piperoll dead-letters redrive"), (KafkaConnectionError("refused"), "Kafka does not answer")],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
async def test_a_redrive_whose_letters_cannot_all_be_read_puts_nothing_back(failure: Exception, sentence: str) -> None:
    log = MemoryLog(1)
    letters = over(log)
    for number in range(2):
        await park(log, f"job-{number}")
    with (
        patch.object(room, "MOST", 1),
        patch.object(Redriving, "waiting", side_effect=failure),
        pytest.raises(ApiError, match=sentence) as refused,
    ):
        await letters.redrive("jobs-0-1", ADMIN)
    assert refused.value.status == 503
    assert await log.end_offsets(AUDIT_EVENTS) == {0: 0}
