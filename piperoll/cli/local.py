"""The commands that run everything on this machine: `up` and `demo`."""

from pathlib import Path
from typing import Annotated

import typer

from piperoll.cli.console import run_command
from piperoll.cli.target import DEFAULT_DATA_DIR

Folder = Annotated[Path, typer.Option("--data-dir", help="Folder for all data; created if it is missing.")]
Keys = Annotated[
    list[str] | None,
    typer.Option("--api-key", help="An additional API key of the owner `local`; may be repeated."),
]
Pdf = Annotated[Path | None, typer.Option("--pdf", help="Your own PDF for the demonstration.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Number of worker child processes; default one per core.")
]


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")] = 5001,
    data_dir: Folder = DEFAULT_DATA_DIR,
    api_key: Keys = None,
    pdf: Pdf = None,
    workers: Workers = None,
    no_demo: Annotated[bool, typer.Option("--no-demo", help="Start and serve, without the demonstration.")] = False,
) -> None:
    """Start Kafka, Postgres and the four services on this machine, run the demonstration, and serve until Ctrl-C."""
    from piperoll.cli.up import UpOptions, serve

    run_command(serve(UpOptions(data_dir, port, tuple(api_key or ()), workers, pdf, not no_demo)))


def demo(
    data_dir: Folder = DEFAULT_DATA_DIR,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The API's port; 0 takes a free one.")] = 0,
    pdf: Pdf = None,
    workers: Workers = None,
) -> None:
    """Do the same as `up`, then stop. Exit status 0 only if the job completed and the webhook arrived."""
    from piperoll.cli.up import UpOptions, show

    run_command(show(UpOptions(data_dir, port, (), workers, pdf)))
