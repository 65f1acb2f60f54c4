"""The client that commands use, and the sentences for its errors."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from piperoll.cli.console import CommandError, CouldNotRunError
from piperoll.cli.target import ApiAccess, api_access_of
from piperoll.client import AsyncClient
from piperoll.client.errors import (
    AuthenticationError,
    ForbiddenError,
    PiperollError,
    RefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)

MOST_CONNECTIONS = 16
"""Of one command, so that hundreds of files leave room for others of the owner."""


@asynccontextmanager
async def connected(data_dir: Path | None) -> AsyncIterator[AsyncClient]:
    """Yield a client of the API that a command is about. Raises CommandError, also for errors of the client."""
    async with connected_to(api_access_of(data_dir)) as client:
        yield client


@asynccontextmanager
async def connected_to(access: ApiAccess) -> AsyncIterator[AsyncClient]:
    """Yield a client of this API, which answered once. Raises CommandError, also for errors of the client.

    The first request is not repeated, so that a command without a server ends at once; later ones are.
    """
    try:
        client = AsyncClient(access.url, access.key, limits=httpx.Limits(max_connections=MOST_CONNECTIONS))
    except ValueError as error:
        raise CommandError(f"{error}: see PIPEROLL_URL and PIPEROLL_API_KEY, or the profile") from error
    async with client:
        try:
            await client.health()
        except UnreachableError as error:
            raise CouldNotRunError(
                f"no API answers at {access.url}: start one with `piperoll up`, or correct PIPEROLL_URL or the profile"
            ) from error
        except PiperollError as error:
            raise CommandError(sentence_of(error, access.url)) from error
        try:
            yield client
        except UnreachableError as error:
            raise CouldNotRunError(f"{error}: try again") from error
        except PiperollError as error:
            raise CommandError(sentence_of(error, access.url)) from error


async def page_link(client: AsyncClient, access: ApiAccess) -> str:
    """Make a link that signs a browser in to the page, once and within ten minutes. Raises errors of the client."""
    made = await client.sign_in_link()
    return f"{access.url}/#sign-in={made.nonce}"


@contextmanager
def about(subject: str) -> Iterator[None]:
    """Name what an error of the client is about. Raises CommandError."""
    try:
        yield
    except ValueError as error:  # not an id
        raise CommandError(str(error)) from error
    except (AuthenticationError, ForbiddenError):
        raise
    except RefusedError as error:
        raise CommandError(f"{subject}: {sentence_of(error)}") from error


def sentence_of(error: PiperollError, url: str = "") -> str:
    """Return the sentence for an error, with what to do."""
    match error:
        case AuthenticationError():
            return f"{error}: use a key of this installation: by PIPEROLL_API_KEY, a profile, or --data-dir"
        case ForbiddenError():
            return f"{error}: use a key with this scope (`piperoll keys create --scopes`)"
        case UnexpectedAnswerError():
            return f"{url} does not answer as a Piperoll API: is PIPEROLL_URL its address? {error}"
        case RefusedError(details={"supported": supported}) if _listed(supported) not in str(error):
            return f"{error}. Supported: {_listed(supported)}"
    return str(error)


def _listed(supported: object) -> str:
    """Return the values that the API supports, as text: a list, or lists by the name of a field."""
    match supported:
        case dict():
            return "; ".join(f"{name}: {_listed(values)}" for name, values in supported.items())
        case list():
            return ", ".join(map(str, supported))
    return str(supported)
