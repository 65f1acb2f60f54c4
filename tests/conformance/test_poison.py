"""Whatever is written to a topic: its record is parked with the reason, the reader goes on, and redriving works."""

import random
import string
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import pytest

from piperoll.log.parking import PARKED_BEFORE
from piperoll.log.record import partition_of
from piperoll.log.redriving import Redriving, Waiting, of_key
from piperoll.settings import Settings
from schemas.events import DocumentAdded, Event, JobCreated, WebhookAbandoned, WebhookDelivered
from schemas.topics import DEAD_LETTERS, ENDPOINT_EVENTS, JOB_DELIVERIES, Topic
from tests.support.histories.jobs import fact
from tests.support.poison.cases import BAD, CASES, GOOD, GROUPS, Case, letters_in, reasons
from tests.support.poison.records import EVERYWHERE, WITH_CLAIMS, Poison


def readers(groups: Sequence[tuple[str, Topic]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", groups, ids=[group for group, _ in groups], indirect=True)


each_reader = readers(GROUPS)


@pytest.fixture
async def case(request: pytest.FixtureRequest, settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Case]:
    group, topic = request.param
    async with CASES[group.split(".")[1]](topic, settings, pool) as one:
        yield one


def poisons(topic: Topic) -> Mapping[str, Poison]:
    return EVERYWHERE if topic is JOB_DELIVERIES else {**EVERYWHERE, **WITH_CLAIMS}


async def write_all(case: Case) -> dict[str, Poison]:
    """Each poison under a key of its own, then a good record under the same key; at the end one of a good key."""
    written = {}
    for number, (name, poison) in enumerate(poisons(case.topic).items()):
        key = f"{BAD}-{number}"
        written[key] = poison
        await case.log.append_raw(case.topic, *poison.of(fact(key, case.event(key), 1)))
        await case.log.append(case.topic, fact(key, case.event(key), 2))
        assert name
    await case.log.append(case.topic, fact(GOOD, case.event(GOOD), 3))
    return written


@each_reader
async def test_each_poison_is_parked_with_its_reason_and_nothing_else_is_held_up(case: Case) -> None:
    written = await write_all(case)
    await case.read()
    found: dict[bytes | None, list[str]] = {}
    for key, why in reasons(await letters_in(case.log)):
        found.setdefault(key, []).append(why)
    assert found.keys() == {key.encode() for key in written}
    for key, poison in written.items():
        own, *following = found[key.encode()]
        assert poison.why in own, key
        assert following == [PARKED_BEFORE]
    assert await case.ids() == {GOOD}


@each_reader
async def test_what_followed_a_poison_is_put_back_when_the_poison_is_left_out(case: Case) -> None:
    written = await write_all(case)
    await case.read()
    redriving = Redriving(case.log, case.log, "a test")
    for one in await own_letters(redriving):
        done = await redriving.skip(of_key(await redriving.waiting(), one))
        assert (len(done.put_back), [place for place, _ in done.left_out]) == (1, [one.position])
    assert await redriving.waiting() == []
    await case.read()
    assert await case.ids() == {GOOD, *written}
    assert await redriving.waiting() == []


async def own_letters(redriving: Redriving) -> list[Waiting]:
    return [one for one in await redriving.waiting() if not one.followed]


@each_reader
async def test_a_record_in_the_partition_of_another_key_has_no_effect_on_its_key(case: Case) -> None:
    place = (partition_of(BAD, case.log.partitions) + 1) % case.log.partitions
    for spoil in (lambda parts: parts, EVERYWHERE["no event"].spoil):
        key, value, headers = spoil(EVERYWHERE["no id"].of(fact(BAD, case.event(BAD), 1)))
        case.log.place_in(case.topic, place, key, value, headers)
    await case.read()
    await case.log.append(case.topic, fact(BAD, case.event(BAD), 2))
    await case.read()
    letters = await letters_in(case.log)
    assert [why for _, why in reasons(letters)] == [
        f"it is in partition {place}, its key belongs to {partition_of(BAD, case.log.partitions)}"
    ] * 2
    assert await case.ids() == {BAD}


@each_reader
@pytest.mark.parametrize(
    "key", [None, b"", b"\xff\xfekey", b"a\x00b", b"k" * 100_000], ids=["none", "empty", "not UTF-8", "NUL", "long"]
)
async def test_a_foreign_key_parks_its_record_and_no_other(case: Case, key: bytes | None) -> None:
    for _ in range(2):
        await case.log.append_raw(case.topic, key, b"no event", [])
    await case.log.append(case.topic, fact(GOOD, case.event(GOOD), 3))
    await case.read()
    ends = await case.log.end_offsets(DEAD_LETTERS)
    assert sum(ends.values()) == 2
    assert await case.ids() == {GOOD}


def too_long(data: Event, case: Case) -> Event:
    """An event of which Postgres refuses an index entry, or a number that no column takes."""
    text = "".join(random.Random(1).choices(string.ascii_letters, k=5000))
    match data:
        case JobCreated(has_webhook=True):
            assert case.rig is not None
            return case.rig.created(BAD, "http://127.0.0.1:9/hook", client_id="NUL: \x00")
        case JobCreated():
            return data.model_copy(update={"target_id": text})
        case DocumentAdded(content=content):
            return data.model_copy(update={"content": content.model_copy(update={"size": 2**70})})
        case WebhookDelivered() if case.rig is None:
            return WebhookAbandoned(delivery_id="msg", phase="completed", attempt=1, reason="GONE", origin_sha256=text)
        case WebhookDelivered():
            return data.model_copy(update={"endpoint_id": "endpoint-1", "change": 2**40})
        case _:
            raise AssertionError(f"no column refuses a value of {type(data).__name__}")


# The tables of endpoints take everything that can be decoded.
@readers([(group, topic) for group, topic in GROUPS if topic is not ENDPOINT_EVENTS])
async def test_a_value_that_postgres_refuses_is_found_in_a_poll_and_parked(case: Case) -> None:
    bad = too_long(case.event(BAD), case)
    names = [f"{GOOD}-{number}" for number in range(20)]
    for number, key in enumerate(names):
        await case.log.append(case.topic, fact(key, case.event(key), number))
        if number == 7:
            await case.log.append(case.topic, fact(BAD, bad, 1))
    await case.read()
    (letter,) = await letters_in(case.log)
    assert letter.key == BAD.encode()
    assert await case.ids() == set(names)
    await case.log.append(case.topic, fact(BAD, case.event(BAD), 2))
    await case.read()
    redriving = Redriving(case.log, case.log, "a test")
    found = await redriving.waiting()
    await redriving.skip(of_key(found, found[0]))
    await case.read()
    assert await case.ids() == {BAD, *names}
