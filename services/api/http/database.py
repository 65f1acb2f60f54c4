"""How every query of Postgres is bounded, and the error when it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from services.api.http.errors import ReadModelUnavailableError

log = structlog.get_logger()

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""What asyncpg raises while Postgres is away, restarts, or has no tables because no projector ran yet."""


@asynccontextmanager
async def asking(name: str, deadline_s: float) -> AsyncIterator[None]:
    """Around a question called `name`. Raises ReadModelUnavailableError where it is not answered in time."""
    try:
        async with asyncio.timeout(deadline_s):
            yield
    except AWAY as error:
        log.warning("read_model_away", query=name, error=repr(error))
        raise ReadModelUnavailableError("the read model does not answer at present") from error
