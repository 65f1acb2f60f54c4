"""`piperoll doctor`: check the machine, the settings, Kafka, Postgres, the blob store and the API."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from piperoll.cli.console import print_line, run_command, waiting
from piperoll.cli.target import DEFAULT_DATA_DIR, NO_STACK, STORES, DataDir, default_stack, settings_of
from piperoll.settings import Settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    data_dir: DataDir = None,
    port: Annotated[int, typer.Option(help="The port that `piperoll up` will use.")] = 5001,
) -> None:
    """Check the installation and print what to do. Exit status 1 if a check fails."""
    run_command(_examine(data_dir, port))


async def _examine(data_dir: Path | None, port: int) -> int:
    from piperoll.cli import probes
    from piperoll.cli.diagnosis import Finding, of_settings

    given = Settings()
    folder = data_dir or default_stack(given)
    named = bool(given.model_fields_set & STORES)
    settings = given if folder is None else settings_of(folder)
    embedded = folder is not None or not named
    found: list[Finding] = probes.machine(folder or DEFAULT_DATA_DIR, settings, embedded)
    found += await probes.sandbox(settings)
    if embedded:
        found += await probes.embedded_parts()
    if folder is None and not named:
        found.append(await probes.port(port))
    else:
        found += of_settings(settings, embedded)
        with waiting("Checking Kafka, Postgres, the blob store and the API"):
            found += [*await probes.kafka(settings), *await probes.rights(settings, embedded)]
            found += [*await probes.postgres(settings), *await probes.blobs(settings)]
            found += await probes.installation(settings)
            found += await probes.sweeps(settings)
            found += await probes.dead_letters(settings)
            found += await probes.api(f"http://{settings.api_host}:{settings.api_port}")
    for one in found:
        print_line(f"  [{COLOURS[one.level]}]{one.level:<4}[/]  {one.subject:<13} {escape(one.sentence)}")
    if folder is None and not named:
        print_line(f"\n{NO_STACK[0].upper()}{NO_STACK[1:]}: checked only what `piperoll up` needs.")
    return 1 if any(one.level == "fail" for one in found) else 0
