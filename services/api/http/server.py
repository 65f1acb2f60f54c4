"""uvicorn with the process's own loop, signals and socket; requests under way finish before it ends."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE_S = 75  # longer than proxies and client pools keep theirs, so that the client is the one who closes
DRAIN_S = 12  # longer than the append deadline, shorter than what supervisors wait before SIGKILL
BACKLOG = 2048


class ListenError(RuntimeError):
    """The address cannot be listened on."""


class Server(uvicorn.Server):
    """uvicorn, but signals belong to `piperoll.runtime`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves them alone."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """An open socket. Raises ListenError, which names the setting to change."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another PIPEROLL_API_PORT"
        ) from error


async def serve(app: ASGIApp, listening: socket.socket, stopping: asyncio.Event) -> None:
    """Serves until `stopping`, then finishes what is under way."""
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = Server(config)
    stopper = asyncio.create_task(_stop(server, stopping))
    try:
        await server.serve(sockets=[listening])
    finally:
        stopper.cancel()


async def _stop(server: Server, stopping: asyncio.Event) -> None:
    await stopping.wait()
    server.should_exit = True
