"""How every question to Postgres is bounded, and what its being away is turned into. Holds no query."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog

from services.api.errors import ReadModelUnavailableError

log = structlog.get_logger()

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""What asyncpg raises while Postgres is away, restarts, or lacks the tables because no projector ran yet."""


@contextmanager
def asking(name: str) -> Iterator[None]:
    """Around a question called `name`. Raises ReadModelUnavailableError where it is not answered."""
    try:
        yield
    except AWAY as error:
        log.warning("read_model_away", query=name, error=repr(error))
        raise ReadModelUnavailableError("the read model does not answer at present") from error
