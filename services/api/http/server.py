"""uvicorn with the process's loop, signals and socket; running requests finish before it stops."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE_S = 75  # longer than in proxies and client pools, so that the client closes first
DRAIN_S = 12  # longer than the append deadline, shorter than a supervisor's wait before SIGKILL
BACKLOG = 2048


class ListenError(RuntimeError):
    """The server cannot listen on the address."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers: `piperoll.runtime` handles signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return an open socket. Raises ListenError, which names the setting to change."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another PIPEROLL_API_PORT"
        ) from error


async def serve(app: ASGIApp, listening: socket.socket, stopping: asyncio.Event) -> None:
    """Serve until `stopping`, then finish the running requests."""
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
