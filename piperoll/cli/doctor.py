"""`piperoll doctor`: looks at the machine, the settings and the parts, and says what is wrong and what to do."""

import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from piperoll.cli.console import run_command, say, waiting
from piperoll.cli.diagnosis import Finding, of_memory, of_python, of_settings, of_space, of_user
from piperoll.cli.target import DEFAULT_DATA_DIR, DataDir, settings_of, unnamed_stack
from piperoll.settings import Settings

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
TIMEOUT_S = 10.0  # a part that takes longer to answer is as good as away
CHECK_FOLDER = "piperoll-check"

Check = Callable[[Settings], Awaitable[list[Finding]]]


def doctor(
    data_dir: DataDir = None,
    port: Annotated[int, typer.Option(help="The port that `piperoll up` is to take.")] = 5001,
) -> None:
    """Look for what is wrong, and say what to do. Exit status 1 if something is."""
    run_command(_examine(data_dir, port))


async def _examine(data_dir: Path | None, port: int) -> int:
    found: list[Finding] = []

    def tell(findings: list[Finding]) -> None:
        for one in findings:
            colour = COLOURS[one.level]
            say(f"  [{colour}]{one.level:<4}[/{colour}]  {one.subject:<12} {escape(one.sentence)}")
        found.extend(findings)

    given = Settings()
    folder = data_dir or unnamed_stack(given)
    configured = folder is not None or bool(given.model_fields_set & {"kafka_bootstrap", "postgres_dsn"})
    tell(_of_machine(folder or DEFAULT_DATA_DIR, given, embedded=folder is not None or not configured))
    if configured:
        settings = settings_of(folder)
        tell(of_settings(settings, embedded=folder is not None))
        for name, check in (("Kafka", _kafka), ("Postgres", _postgres), ("the blob store", _blobs), ("API", _api)):
            with waiting(f"Asking {name}") if sys.stdout.isatty() else _silence():
                findings = await check(settings)
            tell(findings)
    else:
        tell([*_of_embedded(), _of_port(port)])
        say("\nNothing runs here and no PIPEROLL_* variable names an installation: this is what `piperoll up` needs.")
    return 1 if any(one.level == "fail" for one in found) else 0
