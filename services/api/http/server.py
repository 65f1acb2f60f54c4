"""uvicorn with the process's loop, signals and socket; running requests finish before it stops."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from services.api.http.connections import BoundedProtocol, ConnectionLimits, affordable, bounded_by

KEEP_ALIVE_S = 75  # longer than in proxies and client pools, so that the client closes first
DRAIN_S = 12  # longer than the append deadline, shorter than a supervisor's wait before SIGKILL
BACKLOG = 2048
TICKS_OF_CHECK = 10
DEFAULT_LIMITS = ConnectionLimits()


class ListenError(RuntimeError):
    """The server cannot listen on the address."""


class Server(uvicorn.Server):
    """uvicorn without signal handlers: `piperoll.runtime` handles signals. Once a second it checks all connections."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times a second; every tenth time close connections that are over their times."""
        if counter % TICKS_OF_CHECK == 0:
            now = asyncio.get_running_loop().time()
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, BoundedProtocol):
                    connection.check(now)
        return await super().on_tick(counter)


def listen(host: str, port: int) -> socket.socket:
    """Return an open socket. Raises ListenError, which names the setting to change."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another PIPEROLL_API_PORT"
        ) from error


async def serve(
    app: ASGIApp, listening: socket.socket, stopping: asyncio.Event, limits: ConnectionLimits = DEFAULT_LIMITS
) -> None:
    """Serve until `stopping`, then finish the running requests."""
    config = uvicorn.Config(
        app,
        http=bounded_by(replace(limits, connections=affordable(limits.connections))),
        lifespan="off",
        log_config=None,
        log_level="error",  # it warns of each request that is not HTTP, which anybody may send
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
