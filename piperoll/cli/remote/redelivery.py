"""The client command `redeliver`: request new delivery attempts for held or given-up webhooks."""

from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import entry, print_line, run_command
from piperoll.cli.target import DataDir


def redeliver(
    origin: Annotated[str, typer.Option(help="The receiver: scheme://host or scheme://host:port.")],
    since: Annotated[str, typer.Option(help="Held or given up at this time or later, such as 2026-01-31T10:00:00Z.")],
    yes: Annotated[bool, typer.Option("--yes", help="Send them; without it they are only counted.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Count the held or given-up webhooks of a receiver; with --yes send them again."""
    run_command(_redeliver(origin, since, yes, data_dir))


async def _redeliver(origin: str, since: str, yes: bool, data_dir: Path | None) -> int:
    from piperoll.cli.remote.connection import connected

    async with connected(data_dir) as client:
        waiting = (await client.redeliver(origin, since, dry_run=True)).count
        if not waiting:
            entry(
                "webhooks", "none to redeliver: none was held or given up since then, or redelivery is already pending"
            )
            return 0
        if not yes:
            entry("webhooks", f"{waiting:,} can be sent again: repeat the command with --yes")
            return 0
        requested = 0
        while requested < waiting:  # webhooks that are held in the meantime are left for the next call
            batch = await client.redeliver(origin, since, dry_run=False)
            if not batch.count:
                break
            requested += batch.count
        entry("webhooks", f"redelivery of {requested:,} requested; see the deliveries of each job for the result")
        print_line()
    return 0
