"""`piperoll topics`: create the topics, compare them with the manifest, describe them."""

from pathlib import Path

import typer

from piperoll.cli.console import STATUSES, entry, out, print_error, print_line, run_command, waiting
from piperoll.cli.target import DataDir, NoStackError, settings_of
from piperoll.settings import Settings

DAY_MS = 24 * 3600 * 1000

app = typer.Typer(no_args_is_help=True, help="The topics of the log.")


@app.command(epilog=STATUSES)
def create(data_dir: DataDir = None) -> None:
    """Create the topics that are missing. Existing topics are not changed."""
    run_command(_create(data_dir))


@app.command()
def check(data_dir: DataDir = None) -> None:
    """Compare the topics in Kafka with the manifest. Exit status 1 when they differ."""
    run_command(_check(data_dir))


@app.command()
def repair(data_dir: DataDir = None) -> None:
    """Set changed settings of the topics back to the manifest's. Exit status 1 when other differences remain."""
    run_command(_repair(data_dir))


@app.command(epilog=STATUSES)
def describe(data_dir: DataDir = None) -> None:
    """Show the key, partitions, retention, writers and readers of each topic."""
    run_command(_describe(data_dir))


@app.command(epilog=STATUSES)
def acl(data_dir: DataDir = None) -> None:
    """Print the commands that give each service its rights in Kafka, and no more."""
    run_command(_acl(data_dir))


async def _acl(data_dir: Path | None) -> int:
    from piperoll.log.topics.rights import SERVICES, commands

    try:
        settings = settings_of(data_dir)
    except NoStackError:
        settings = Settings()  # the commands are for a Kafka that needs not run yet
    for service in SERVICES:
        for command in commands(service, settings.kafka_principals, settings.kafka_bootstrap):
            out.file.write(f"{command}\n")
    return 0


async def _create(data_dir: Path | None) -> int:
    from piperoll.log.topics.admin import create_topics

    settings = settings_of(data_dir)
    with waiting("Asking Kafka"):
        created = await create_topics(settings)
    for name in created:
        entry("created", f"{name}, {settings.partitions} partitions")
    if not created:
        print_line("All topics exist already.")
    return 0


async def _check(data_dir: Path | None) -> int:
    from piperoll.log.topics.admin import check_topics
    from schemas.topics import MANIFEST

    settings = settings_of(data_dir)
    with waiting("Asking Kafka"):
        problems = await check_topics(settings)
    for problem in problems:
        print_error(problem)
    if not problems:
        print_line(f"All {len(MANIFEST)} topics match the manifest.")
    return 1 if problems else 0


async def _repair(data_dir: Path | None) -> int:
    from piperoll.log.topics.admin import check_topics, repair_topics

    settings = settings_of(data_dir)
    with waiting("Asking Kafka"):
        changed = await repair_topics(settings)
        problems = await check_topics(settings)
    for name in changed:
        entry("repaired", name)
    if not changed:
        print_line("No setting differs from the manifest.")
    for problem in problems:
        print_error(problem)
    return 1 if problems else 0


async def _describe(data_dir: Path | None) -> int:
    from piperoll.log.topics.admin import inspect
    from schemas.topics import MANIFEST

    settings = settings_of(data_dir)
    with waiting("Asking Kafka"):
        live = await inspect(settings)
    for topic in MANIFEST:
        found = live.get(topic.name)
        print_line(f"\n[bold]{topic.name}[/bold]")
        entry("key", topic.key)
        entry("partitions", str(found.partitions) if found else "does not exist: `piperoll topics create` creates it")
        entry("kept", f"{topic.retention_ms // DAY_MS} days" if topic.retention_ms >= 0 else "for ever")
        entry("written by", ", ".join(topic.writers))
        entry("read by", ", ".join(topic.groups) or "operators: it holds records that could not be decoded")
    print_line()
    return 0
