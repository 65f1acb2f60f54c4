"""`piperoll adopt`: make stores that were moved or restored on purpose one installation."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import CommandError, entry, print_error, print_line, run_command, waiting
from piperoll.cli.target import DataDir, settings_of
from piperoll.settings import Settings


def adopt(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it the plan is only shown.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show which stores do not belong together; with --yes make them one installation. Stop all services before.
    Exit status 1 also if there is something to do, without --yes."""
    run_command(_adopt(yes, data_dir))


async def _adopt(yes: bool, data_dir: Path | None) -> int:
    import asyncpg

    from piperoll.installation.adoption import Plan, adopt
    from piperoll.installation.survey import survey
    from piperoll.log.kafka import KafkaOffsets
    from piperoll.log.topics.admin import check_topics
    from piperoll.store.blobs import AsyncBlobs, Blobs

    async with AsyncExitStack() as stack:
        settings = await stack.enter_async_context(_stores(data_dir))
        if problems := await check_topics(settings):
            raise CommandError("; ".join(problems))
        offsets, blobs = KafkaOffsets(settings), AsyncBlobs(Blobs(settings.blob_url))
        stack.callback(blobs.close)
        await offsets.start()
        stack.push_async_callback(offsets.stop)
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
        stack.push_async_callback(connection.close)
        found = await survey(blobs, offsets, connection)
        for problem in found.problems:
            print_error(problem)
        if found.marker is not None and not found.problems:
            entry("adopt", f"nothing to do: all stores are of the installation {found.marker.id}")
            return 0
        if not yes:
            entry("with --yes", "\n".join(Plan.of(found).sentences()))
            print_line("\nStop all services first, then repeat the command with --yes.")
            return 1
        installation = await adopt(blobs, connection, found)
        entry("done", "\n".join(Plan.of(found).sentences()))
        entry("installation", installation.id)
    return 0


@asynccontextmanager
async def _stores(data_dir: Path | None) -> AsyncIterator[Settings]:
    """Yield the settings; start Kafka and Postgres of a data folder that no `piperoll up` uses."""
    from piperoll.embedded.stack import Stack, StackOptions

    if data_dir is None or not _is_stopped(data_dir):
        yield settings_of(data_dir)
        return
    with waiting("Starting Kafka and Postgres"):
        stack = Stack(data_dir, StackOptions(services=()))
        await stack.start()
    try:
        yield Settings.from_environment(stack.environment)
    finally:
        await stack.stop()


def _is_stopped(data_dir: Path) -> bool:
    """Return whether this is the data folder of a stack that does not run."""
    return data_dir.is_dir() and not (data_dir / "stack.json").exists()
