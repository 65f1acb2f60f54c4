"""The time limit of queries to Postgres, the share of an owner, and the error when it does not answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from piperoll.postgres import refuses_a_value
from services.api.http.errors import ReadModelUnavailableError, invalid_request

log = structlog.get_logger()

Source = asyncpg.Pool | PoolConnectionProxy
"""Where a query runs: on any connection of the pool, or on one that holds a snapshot."""

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""The errors of asyncpg while Postgres is away or restarts, and before a projector has created its tables."""

TURNS: ContextVar[asyncio.Semaphore | None] = ContextVar("turns", default=None)
"""The turns of the owner whose request this is; None for the API's own queries, and within a turn."""


@contextmanager
def for_all_owners() -> Iterator[None]:
    """Let queries within take no turn of the owner whose request they answer: their answer is shared with other
    owners, who must not wait for that one's turns."""
    turn = TURNS.set(None)
    try:
        yield
    finally:
        TURNS.reset(turn)


@asynccontextmanager
async def own_turn(deadline_s: float) -> AsyncIterator[None]:
    """Take one of the owner's turns, so that its queries leave connections to other owners. What is within is of the
    same turn. Raises ReadModelUnavailableError (503) if there is none in time."""
    turns = TURNS.get()
    if turns is None:
        yield
        return
    try:
        async with asyncio.timeout(deadline_s):
            await turns.acquire()
    except TimeoutError:
        raise ReadModelUnavailableError(
            "this owner reads too much at a time: wait for answers before more requests are sent"
        ) from None
    TURNS.set(None)
    try:
        yield
    finally:
        TURNS.set(turns)
        turns.release()


@asynccontextmanager
async def bounded_query(name: str, deadline_s: float) -> AsyncIterator[None]:
    """Bound the query `name` in time. Raises ReadModelUnavailableError (503) if it fails or is not answered in time,
    and ApiError INVALID_REQUEST (400) if a value of the request is the reason: a repeat would fail again.
    """
    try:
        async with own_turn(deadline_s), asyncio.timeout(deadline_s):
            yield
    except AWAY as error:
        if refuses_a_value(error):
            log.warning("value_refused", query=name, error=repr(error))
            raise invalid_request("a text or number in the request cannot be looked up") from error
        log.warning("read_model_away", query=name, error=repr(error))
        raise ReadModelUnavailableError("the read model does not answer at present") from error
