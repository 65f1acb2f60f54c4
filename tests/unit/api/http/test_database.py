"""A query that fails: because of the request, or because Postgres is away."""

import asyncio

import asyncpg
import pytest

from schemas.errors import ErrorCode
from services.api.http.database import bounded_query
from services.api.http.errors import ApiError

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
