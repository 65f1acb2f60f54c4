"""A query that fails, because of the request or because Postgres is away; and how many an owner has at a time."""

import asyncio

import asyncpg
import pytest

from schemas.errors import ErrorCode
from services.api.http.admission import QUERIES_OF_OWNER
from services.api.http.database import TURNS, bounded_query
from services.api.http.errors import ApiError
from tests.support.waiting import wait_until

REFUSED = [
    asyncpg.CharacterNotInRepertoireError("invalid byte sequence"),
    asyncpg.NumericValueOutOfRangeError("bigint out of range"),
    asyncpg.ProgramLimitExceededError("index row size exceeds the maximum"),
    asyncpg.DataError("invalid input for query argument $1"),
]
AWAY = [
    OSError("refused"),
    TimeoutError(),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.TooManyConnectionsError("too many clients"),
    asyncpg.UndefinedTableError("no such relation"),
    asyncpg.InterfaceError("connection is closed"),
]


async def answer_to(failure: Exception) -> ApiError:
    with pytest.raises(ApiError) as caught:
        async with bounded_query("jobs", 5.0):
            raise failure
    return caught.value


@pytest.mark.parametrize("failure", REFUSED, ids=lambda one: type(one).__name__)
async def test_a_value_that_postgres_refuses_is_the_fault_of_the_request(failure: Exception) -> None:
    error = await answer_to(failure)
    assert (error.status, error.code) == (400, ErrorCode.INVALID_REQUEST)
    assert "Retry-After" not in error.headers


@pytest.mark.parametrize("failure", AWAY, ids=lambda one: type(one).__name__)
async def test_an_outage_of_postgres_is_a_503_that_asks_for_a_repeat(failure: Exception) -> None:
    error = await answer_to(failure)
    assert (error.status, error.code) == (503, ErrorCode.READ_MODEL_UNAVAILABLE)
    assert "Retry-After" in error.headers


async def test_a_query_that_takes_too_long_is_an_outage() -> None:
    with pytest.raises(ApiError) as caught:
        async with bounded_query("jobs", 0.01):
            await asyncio.Event().wait()
    assert caught.value.status == 503


async def test_an_owner_has_few_queries_at_a_time_and_those_beyond_wait_for_a_turn() -> None:
    running, ended = list[int](), asyncio.Event()

    async def query(number: int) -> None:
        TURNS.set(turns)  # as a request of the owner
        async with bounded_query("jobs", 5.0):
            running.append(number)
            await ended.wait()

    turns = asyncio.Semaphore(QUERIES_OF_OWNER)
    asked = [asyncio.create_task(query(number)) for number in range(QUERIES_OF_OWNER + 2)]
    await wait_until(lambda: len(running) == QUERIES_OF_OWNER, 5, "the turns to be taken")
    async with bounded_query("jobs", 0.1):  # of no owner, or of another one
        pass
    assert len(running) == QUERIES_OF_OWNER
    ended.set()
    await asyncio.gather(*asked)
    assert not turns.locked()


async def test_a_query_within_another_one_is_of_the_same_turn() -> None:
    TURNS.set(turns := asyncio.Semaphore(1))
    for _ in range(2):
        async with bounded_query("snapshot", 1.0), bounded_query("jobs", 1.0):
            assert turns.locked()
        assert not turns.locked()


async def test_an_owner_whose_queries_find_no_turn_in_time_is_refused() -> None:
    TURNS.set(asyncio.Semaphore(0))
    with pytest.raises(ApiError) as caught:
        async with bounded_query("jobs", 0.01):
            pass
    assert (caught.value.status, caught.value.code) == (503, ErrorCode.READ_MODEL_UNAVAILABLE)
    assert int(caught.value.headers["Retry-After"]) > 0
