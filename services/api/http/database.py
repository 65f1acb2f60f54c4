"""The time limit of queries to Postgres, and the error when it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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


@asynccontextmanager
async def bounded_query(name: str, deadline_s: float) -> AsyncIterator[None]:
    """Bound the query `name` in time. Raises ReadModelUnavailableError (503) if it fails or is not answered in time,
    and ApiError INVALID_REQUEST (400) if a value of the request is the reason: a repeat would fail again.
    """
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except AWAY as error:
        if refuses_a_value(error):
            log.warning("value_refused", query=name, error=repr(error))
            raise invalid_request("a text or number in the request cannot be looked up") from error
        log.warning("read_model_away", query=name, error=repr(error))
        raise ReadModelUnavailableError("the read model does not answer at present") from error
