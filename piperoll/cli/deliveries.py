"""The client command `redeliver`: webhooks that were held or given up are sent again."""

from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import entry, run_command, say
from piperoll.cli.target import DataDir, endpoint_of


def redeliver(
    origin: Annotated[str, typer.Option(help="The receiver: scheme://host or scheme://host:port.")],
    since: Annotated[str, typer.Option(help="Held or given up at this time or later, such as 2026-01-31T10:00:00Z.")],
    yes: Annotated[bool, typer.Option("--yes", help="Have them sent; without it they are only counted.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Count the webhooks that were held or given up at a receiver, and have them sent again."""
    run_command(_redeliver(origin, since, yes, data_dir))


async def _redeliver(origin: str, since: str, yes: bool, data_dir: Path | None) -> int:
    from piperoll.cli.client import ApiClient

    async with ApiClient(endpoint_of(data_dir)) as client:
        waiting = (await client.redeliver(origin, since, dry_run=True))["count"]
        if not waiting:
            entry("webhooks", "none was held or given up there since, or all are asked for already")
            return 0
        if not yes:
            entry("webhooks", f"{waiting:,} could be sent again: say --yes to have that done")
            return 0
        asked = 0
        while asked < waiting:  # those that come in meanwhile are for the next call
            some = await client.redeliver(origin, since, dry_run=False)
            if not some["count"]:
                break
            asked += some["count"]
        entry("webhooks", f"{asked:,} are sent again; what becomes of each stands in its job's deliveries")
        say()
    return 0
