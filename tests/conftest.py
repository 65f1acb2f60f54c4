"""Fixtures of all tests. One Kafka and one Postgres serve the whole session; a test that needs empty ones or stops them
starts its own stack in its `tmp_path`.

Topic names are fixed, so all tests of a session share one log: each uses unique ids and ignores other records.
"""

import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import hypothesis
import pytest
import structlog

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.installation.identity import Installation
from piperoll.log.kafka import KafkaOffsets
from piperoll.postgres import connect_pool
from piperoll.settings import Settings
from piperoll.store.marker import MARKER
from tests.support.servers.mistral import MistralServer
from tests.support.servers.receiver import Receiver
from tests.support.servers.website import Website
from tests.support.stacks.system import System
from tests.support.tools import wait_for
from tests.support.waiting import PATIENCE_S

# The same examples in every run, so that a red build is red again on the next machine. `--hypothesis-profile=search`
# draws new ones, and many: for a change of the fold.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=60)
hypothesis.settings.register_profile("search", deadline=None, max_examples=5000, print_blob=True)
hypothesis.settings.register_profile("chaos", deadline=None, database=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile("repeatable")

# Log events below WARNING would hide the relevant ones in the output of a failed test.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


SHARED = frozenset({"stack", "system"})
ASKING_LATE = {"tests/contract/": "system", "tests/conformance/test_log.py": "stack"}
"""Modules that request a shared stack only while a test runs."""


def pytest_configure(config: pytest.Config) -> None:
    _use_own_folder(config)
    config.addinivalue_line(
        "markers", "needs(tool, packages=tool): the test runs a program that a bare machine does not have"
    )


def _use_own_folder(config: pytest.Config) -> None:
    """Give this run a temporary folder of its own, removed at its end.

    By default every run on a machine closes the folder that they share, also while Postgres of another run, which is
    another account, starts in it.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):  # processes of `-n` have one already
        folder = tempfile.mkdtemp(prefix="piperoll-tests-")
        config.option.basetemp = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(tryfirst=True)  # before the plugin reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For two processes (`make test`): tests that share a stack of the session run in one of them, in order."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    module = item.nodeid.partition("::")[0]
    asks_for = SHARED.intersection(getattr(item, "fixturenames", ()))
    late = {stack for place, stack in ASKING_LATE.items() if module.startswith(place)}
    return "+".join(sorted(asks_for | late)) or module


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that lacks its tool is skipped, and listed at the end; with CI=true it fails instead."""
    for mark in item.iter_markers("needs"):
        tool = str(mark.args[0])
        if shutil.which(tool) is None:
            packages = mark.kwargs.get("packages", tool)
            wait_for(f"{tool}: install it, for example with apt-get install {packages}")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A running Kafka and Postgres with topics and without services. Tests must not stop it: it is shared."""
    async with Stack(tmp_path_factory.mktemp("stack"), StackOptions(services=())) as running:
        yield running


@pytest.fixture(scope="module")
async def database(stack: Stack) -> str:
    """The connection string of a fresh, empty database for this module."""
    name = f"test_{uuid4().hex[:12]}"
    await stack.postgres.create_database(name)
    return stack.postgres.dsn(name)


@pytest.fixture(scope="session")
async def installation(stack: Stack) -> Installation:
    """The installation of the session's log: its marker is in every blob store beside this log."""
    offsets = KafkaOffsets(Settings.from_environment(stack.environment))
    await offsets.start()
    drawn = Installation.draw(await offsets.identity())
    await offsets.stop()
    return drawn


@pytest.fixture(scope="module")
def environment(
    stack: Stack, database: str, installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """All PIPEROLL_* settings as variables: the Kafka of the session, the database and blob folder of this module.

    For settings that differ: `Settings.from_environment({**environment, "PIPEROLL_SLOTS": "1"})`.
    """
    blobs: Path = tmp_path_factory.mktemp("blobs")
    (blobs / MARKER).write_text(installation.model_dump_json())
    return {
        **stack.environment,
        "PIPEROLL_POSTGRES_DSN": database,
        "PIPEROLL_BLOB_URL": blobs.as_uri(),
        # Static members do not leave their group: another name would wait for the session timeout of the last module's.
        "PIPEROLL_INSTANCE": "test",
    }


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Settings:
    """The settings of `environment`."""
    return Settings.from_environment(environment)


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to this module's database."""
    connections = await connect_pool(database)
    yield connections
    await connections.close()


@pytest.fixture(scope="session")
def mistral() -> Iterator[MistralServer]:
    """A server that speaks Mistral's wire format. A test that changes its answers puts them back."""
    with MistralServer() as running:
        yield running


@pytest.fixture(scope="session")
def site() -> Iterator[Website]:
    """A local web site, to which each test adds pages."""
    with Website() as running:
        yield running


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory, mistral: MistralServer) -> AsyncIterator[System]:
    """The four services as processes over a separate Kafka and Postgres, a webhook receiver, and `mistral` as provider.

    Fault tests kill its parts; each test leaves it working.
    """
    files: Path = tmp_path_factory.mktemp("files")
    options = StackOptions(
        extra_env={
            "PIPEROLL_ENABLE_NOOP": "true",
            "PIPEROLL_FILES_ROOTS": str(files),
            "PIPEROLL_ALLOW_PRIVATE_SOURCES": "127.0.0.0/8",  # the web sites of tests
            "PIPEROLL_SLOTS": "2",
            "PIPEROLL_RESERVED_SLOTS": "0",  # tests of one owner fill both
            "PIPEROLL_RETRY_BASE_S": "0.2",
            "PIPEROLL_HANDOVER_GRACE_S": "2",
            "PIPEROLL_CHECKPOINT_INTERVAL_S": "1",
            "PIPEROLL_READ_DEADLINE_S": "15",  # a busy projector is not a missing one
            "PIPEROLL_RATE_LIMIT": "100000",  # all tests share its keys
            "PIPEROLL_DELIVERY_SCHEDULE_S": "0,0.2,0.5,1,1,1",
            **mistral.environment,
        }
    )
    async with Receiver() as receiver, Stack(tmp_path_factory.mktemp("system"), options) as running:
        await running.wait_ready(PATIENCE_S)
        headers = {"Authorization": f"Bearer {running.api_key}"}
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=running.api_url, headers=headers, limits=limits, timeout=70) as client:
            yield System(running, client, receiver, files)
