"""The server that the contract tests speak to: the one that CONTRACT_URL names, else a system of our own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.files.pdf import pdf
from tests.support.stacks.server import Server
from tests.support.stacks.system import System


@pytest.fixture(scope="session")
async def server_elsewhere() -> AsyncIterator[Server]:
    async with Server.elsewhere() as server:
        yield server


@pytest.fixture(scope="session")
async def server_here(system: System) -> Server:
    return Server(system.client, system.stack.api_key, system.files, system.receiver, system.receiver.origin)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    """The fixtures are requested by name, so that a run against another server starts no stack."""
    chosen: Server = request.getfixturevalue("server_elsewhere" if "CONTRACT_URL" in os.environ else "server_here")
    return chosen


@pytest.fixture
def file(server: Server) -> Path:
    """A PDF that the server can read, of this test alone: what the seed calls `/path/to/file.pdf`."""
    return pdf(server.files / f"contract-{uuid4().hex[:8]}.pdf", pages=2)
